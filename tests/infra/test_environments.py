"""Several environments in one account: what is called after one is never taken for another's."""

from __future__ import annotations

from stacks.config import ENVIRONMENTS


def test_no_environment_is_called_like_another_with_something_added() -> None:
    """Endpoints are called `millrace-{environment}-{model}-v{n}`, and permissions go by how names begin."""
    for name in ENVIRONMENTS:
        assert [other for other in ENVIRONMENTS if other.startswith(f"{name}-")] == []
