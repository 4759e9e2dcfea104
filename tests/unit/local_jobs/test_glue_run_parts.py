"""How a Glue run's command line, environment and error are made."""

import shlex
from pathlib import Path

import pytest

from local.jobs.documents import milliseconds
from local.jobs.glue_run import RunFailed, capacity, error_message, flatten, require_installed, script_arguments
from local.jobs.java import parse_version
from local.jobs.spark import parse_conf, submit_arguments


def test_arguments_reach_the_script_unchanged() -> None:
    assert flatten({"--uri": "s3://b/x y", "--flag": "", "--conf": "spark.a=1"}) == ["--uri", "s3://b/x y", "--flag"]


def test_fixed_arguments_win_over_the_runs_and_those_over_the_jobs() -> None:
    job = {"DefaultArguments": {"--a": "job", "--b": "job"}, "NonOverridableArguments": {"--c": "fixed"}}
    run = {"Id": "jr_1", "JobName": "j", "Arguments": {"--b": "run", "--c": "run"}}

    assert script_arguments(job, run) == {
        "--a": "job",
        "--b": "run",
        "--c": "fixed",
        "--JOB_NAME": "j",
        "--JOB_RUN_ID": "jr_1",
    }


def test_several_settings_hide_in_one_conf_argument() -> None:
    assert parse_conf("spark.a=1 --conf spark.b=x=y --conf spark.c=z z") == {
        "spark.a": "1",
        "spark.b": "x=y",
        "spark.c": "z z",
    }
    assert parse_conf("") == {}
    with pytest.raises(ValueError, match="name=value"):
        parse_conf("spark.a")


def test_a_jobs_own_setting_wins_over_the_local_one() -> None:
    arguments = shlex.split(submit_arguments({"spark.sql.shuffle.partitions": "9"}, Path("/a b")))

    assert "spark.sql.shuffle.partitions=9" in arguments
    assert "spark.sql.shuffle.partitions=4" not in arguments
    assert arguments[:2] == ["--master", "local[2]"]
    assert arguments[-1] == "pyspark-shell"
    assert "spark.local.dir=/a b/tmp" in arguments


def test_the_error_is_the_exception_of_the_last_traceback() -> None:
    lines = [
        "Traceback (most recent call last):",
        '  File "a.py", line 1, in <module>',
        "KeyError: 'first'",
        "During handling of the above exception, another exception occurred:",
        "Traceback (most recent call last):",
        '  File "a.py", line 3, in <module>',
        "millrace.errors.DatasetInvalid: no header",
        "second line of the message",
    ]

    assert error_message(lines, 1) == "millrace.errors.DatasetInvalid: no header"


def test_an_exception_without_a_message_is_one_too() -> None:
    assert (
        error_message(["Traceback (most recent call last):", "  File", "KeyboardInterrupt"], 1) == "KeyboardInterrupt"
    )


def test_without_a_traceback_the_exit_code_is_the_error() -> None:
    assert error_message(["WARN something"], 3) == "SystemExit: 3"
    assert error_message([], -9) == "Command failed with exit code 137"


def test_modules_are_checked_as_pip_would() -> None:
    require_installed(["pyspark==3.5.6", "boto3>=1.0"])
    with pytest.raises(RunFailed, match="is wanted"):
        require_installed(["pyspark==3.5.5"])
    with pytest.raises(RunFailed, match="no matching distribution"):
        require_installed(["surely-not-installed"])
    with pytest.raises(RunFailed, match="invalid requirement"):
        require_installed(["???"])


@pytest.mark.parametrize(
    ("shown", "version"),
    [
        ('openjdk version "17.0.15" 2025-04-15', 17),
        ('java version "1.8.0_392"', 8),
        ('openjdk version "21"', 21),
        ("", None),
    ],
)
def test_javas_version_is_read(shown: str, version: int | None) -> None:
    assert parse_version(shown) == version


def test_capacity_is_counted_in_dpu() -> None:
    assert capacity({"WorkerType": "G.2X", "NumberOfWorkers": 3}) == 6
    assert capacity({"MaxCapacity": 0.0625}) == 0.0625


def test_times_become_milliseconds_and_other_numbers_stay() -> None:
    document = {
        "StartedOn": 1.5,
        "TrainingTimeInSeconds": 3,
        "Parts": [{"Timestamp": 2}],
        "HyperParameters": {"Time": "9"},
        "Timeout": 40,
    }

    assert milliseconds(document) == {
        "StartedOn": 1500,
        "TrainingTimeInSeconds": 3,
        "Parts": [{"Timestamp": 2000}],
        "HyperParameters": {"Time": "9"},
        "Timeout": 40,
    }
