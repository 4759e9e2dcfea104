"""Where an environment goes back to when its smoke test fails."""

from __future__ import annotations

from typing import Any

import pytest

from scripts.last_good_deployment import last_good

PATH = "repos/{owner}/{repo}/deployments"


def github(*deployments: tuple[int, str, list[str]]) -> Any:
    """GitHub's answers: deployments (id, commit, states), the latest first."""
    answers: dict[str, Any] = {
        f"{PATH}?environment=dev&per_page=100": [{"id": i, "sha": sha} for i, sha, _ in deployments]
    }
    answers |= {f"{PATH}/{i}/statuses": [{"state": state} for state in states] for i, _, states in deployments}
    return answers.__getitem__


def test_the_deployment_in_progress_and_a_failed_one_are_passed_over() -> None:
    ask = github((3, "now", ["in_progress"]), (2, "broken", ["failure", "in_progress"]), (1, "good", ["success"]))

    assert last_good("dev", ask) == "good"


def test_a_success_that_a_later_deployment_replaced_counts() -> None:
    ask = github((2, "now", ["in_progress"]), (1, "good", ["inactive", "success", "in_progress"]))

    assert last_good("dev", ask) == "good"


def test_a_first_deployment_has_nothing_to_go_back_to() -> None:
    with pytest.raises(LookupError, match="no deployment to dev has ever succeeded"):
        last_good("dev", github((1, "now", ["in_progress"])))
