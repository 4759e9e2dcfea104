"""What becomes of jobs when the embedded AWS dies and comes back."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from embedded_jobs import Jobs, Launcher, wait_until

SHOWS_ITS_PROCESS = """
import os, subprocess, sys, time
print(os.getpid(), flush=True)
time.sleep(300)
"""


@pytest.fixture
def own_launcher(tmp_path: Path) -> Iterator[Launcher]:
    launcher = Launcher(tmp_path)
    yield launcher
    launcher.stop()


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


def test_a_killed_launcher_takes_its_jobs_along_and_its_successor_says_so(own_launcher: Launcher) -> None:
    jobs = Jobs(own_launcher)
    jobs.train("finished-before", "print(1)")
    jobs.sagemaker.create_training_job(**jobs.training_request("cut-off", SHOWS_ITS_PROCESS))
    lines = wait_until(lambda: jobs.log_lines("/aws/sagemaker/TrainingJobs", "cut-off/"))
    pid = int(lines[0])
    assert alive(pid)

    own_launcher.kill()

    wait_until(lambda: not alive(pid), 10)
    own_launcher.start()
    cut_off = jobs.sagemaker.describe_training_job(TrainingJobName="cut-off")
    assert cut_off["TrainingJobStatus"] == "Failed"
    assert cut_off["FailureReason"] == "InternalServerError: the local platform was restarted while the job ran"
    assert cut_off["TrainingEndTime"] >= cut_off["TrainingStartTime"]
    finished = jobs.sagemaker.describe_training_job(TrainingJobName="finished-before")
    assert finished["TrainingJobStatus"] == "Completed"
    assert not list((own_launcher.state_dir / "jobs").glob("*/*"))


def test_a_name_stays_taken_after_a_restart(own_launcher: Launcher) -> None:
    jobs = Jobs(own_launcher)
    jobs.train("remembered", "print(1)")
    own_launcher.kill()
    own_launcher.start()

    with pytest.raises(jobs.sagemaker.exceptions.ResourceInUse):
        jobs.sagemaker.create_training_job(**jobs.training_request("remembered", "print(1)"))
