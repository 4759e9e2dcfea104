"""The commit that an environment goes back to: `python -m scripts.last_good_deployment dev` prints it.

GitHub keeps a deployment for every job that names an environment, with the states it went through
(https://docs.github.com/rest/deployments). Asked through its own command line, which holds the token.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

# The path of the REST API → its answer.
Ask = Callable[[str], Any]


def last_good(environment: str, ask: Ask) -> str:
    """The latest commit whose deployment succeeded. Raises LookupError: there is nothing to go back to."""
    path = "repos/{owner}/{repo}/deployments"
    for deployment in ask(f"{path}?environment={environment}&per_page=100"):
        states = [status["state"] for status in ask(f"{path}/{deployment['id']}/statuses")]
        # `inactive` is what a success becomes when a later deployment takes its place.
        if "success" in states:
            return str(deployment["sha"])
    raise LookupError(f"no deployment to {environment} has ever succeeded: there is nothing to go back to")


def github(path: str) -> Any:
    done = subprocess.run(["gh", "api", path], capture_output=True, text=True, check=True)  # noqa: S607 on PATH
    return json.loads(done.stdout)


def main() -> None:
    try:
        print(last_good(sys.argv[1], github))
    except LookupError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
