"""One embedded AWS for all tests of jobs."""

from collections.abc import Iterator

import pytest
from embedded_jobs import Jobs, Launcher


@pytest.fixture(scope="session")
def launcher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launcher]:
    running = Launcher(tmp_path_factory.mktemp("job-launcher"))
    yield running
    running.stop()


@pytest.fixture(scope="session")
def jobs(launcher: Launcher) -> Jobs:
    return Jobs(launcher)
