import contextlib
import json
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import a_function, a_role, allow, outputs, write_assembly

from local import platform

HANDLERS = """
import pathlib, time

def sleep(event, context):
    if "touch" in event:
        pathlib.Path(event["touch"]).touch()
    time.sleep(event["seconds"])
    return event

def note(event, context):
    if event["detail"].get("name") == "slowly-noted":
        time.sleep(4)
    print("noted", event["detail"].get("name") or event["detail"]["object"]["key"])

flaky_calls = 0

def flaky(event, context):
    global flaky_calls
    flaky_calls += 1
    if flaky_calls < 3:
        raise RuntimeError("not yet")
    print("noted after", flaky_calls)
"""


def a_rule(target: str, pattern: dict[str, Any]) -> dict[str, Any]:
    targets = [{"Id": "one", "Arn": {"Fn::GetAtt": [target, "Arn"]}}]
    return {"Type": "AWS::Events::Rule", "Properties": {"EventPattern": pattern, "Targets": targets}}


def template() -> dict[str, Any]:
    work = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": "${sleep}", "Payload.$": "$"},
        "End": True,
    }
    definition = json.dumps({"StartAt": "Work", "States": {"Work": work}})
    return {
        "Resources": {
            "FunctionRole": a_role("lambda"),
            "MachineRole": a_role("states", allow("lambda:InvokeFunction", {"Fn::GetAtt": ["sleep", "Arn"]})),
            **{
                name: a_function("persisted", f"index.{name}", "FunctionRole", Timeout=60)
                for name in ("sleep", "note", "flaky")
            },
            "Machine": {
                "Type": "AWS::StepFunctions::StateMachine",
                "Properties": {
                    "DefinitionString": {"Fn::Sub": [definition, {"sleep": {"Fn::GetAtt": ["sleep", "Arn"]}}]},
                    "RoleArn": {"Fn::GetAtt": ["MachineRole", "Arn"]},
                },
            },
            "Ended": a_rule(
                "note",
                {
                    "source": ["aws.states"],
                    "detail-type": ["Step Functions Execution Status Change"],
                    "detail": {"status": ["FAILED"]},
                },
            ),
            "Data": {
                "Type": "AWS::S3::Bucket",
                "Properties": {
                    "VersioningConfiguration": {"Status": "Enabled"},
                    "NotificationConfiguration": {"EventBridgeConfiguration": {"EventBridgeEnabled": True}},
                },
            },
            "Seen": {"Type": "AWS::SQS::Queue"},
            "Arrived": a_rule("Seen", {"source": ["aws.s3"], "detail-type": ["Object Created"]}),
            "Flaky": a_rule("flaky", {"source": ["test.flaky"]}),
            "Table": {
                "Type": "AWS::DynamoDB::Table",
                "Properties": {
                    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
                    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
                    "BillingMode": "PAY_PER_REQUEST",
                },
            },
        },
        "Outputs": {name: {"Value": {"Ref": name}} for name in ("Data", "Machine", "Seen", "Table", "note", "flaky")},
    }


@pytest.fixture(scope="module")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    source = tmp_path_factory.mktemp("source")
    (source / "index.py").write_text(HANDLERS)
    return write_assembly(tmp_path_factory.mktemp("assembly"), {"Kept": template()}, {"persisted": source})


@pytest.fixture
def started(tmp_path: Path, assembly: Path) -> Iterator[platform.RunningPlatform]:
    first = platform.start(tmp_path / "state", assembly=assembly)
    yield first
    last = platform.running(tmp_path / "state")
    if last is not None:
        last.stop()


def again(after: platform.RunningPlatform, assembly: Path) -> platform.RunningPlatform:
    return platform.start(after.state_dir, assembly=assembly)


def eventually(probe: Callable[[], Any], seconds: float = 15.0) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = probe()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"nothing came within {seconds} s")


def notes_of(running: platform.RunningPlatform, function: str) -> list[str]:
    logs = running.session().client("logs")
    try:
        found = logs.filter_log_events(logGroupName=f"/aws/lambda/{function}")["events"]
    except logs.exceptions.ResourceNotFoundException:
        return []
    return [event["message"].strip() for event in found if "noted" in event["message"]]


def test_finished_work_survives_kill_minus_nine(started: platform.RunningPlatform, assembly: Path) -> None:
    names = outputs(started, "Kept")
    session = started.session()
    session.client("dynamodb").put_item(TableName=names["Table"], Item={"pk": {"S": "kept"}, "n": {"N": "1.5"}})
    session.client("s3").put_object(Bucket=names["Data"], Key="a/b.bin", Body=b"\x00\xff" * 1000, Metadata={"m": "1"})
    ended = session.client("stepfunctions").start_execution(
        stateMachineArn=names["Machine"], input='{"seconds": 0}', name="done"
    )["executionArn"]
    eventually(lambda: session.client("stepfunctions").describe_execution(executionArn=ended)["status"] == "SUCCEEDED")
    time.sleep(0.6)
    started.kill()
    assert platform.running(started.state_dir) is None

    second = again(started, assembly)

    session = second.session()
    assert outputs(second, "Kept") == names
    item = session.client("dynamodb").get_item(TableName=names["Table"], Key={"pk": {"S": "kept"}})["Item"]
    assert item == {"pk": {"S": "kept"}, "n": {"N": "1.5"}}
    stored = session.client("s3").get_object(Bucket=names["Data"], Key="a/b.bin")
    assert (stored["Body"].read(), stored["Metadata"]) == (b"\x00\xff" * 1000, {"m": "1"})
    described = session.client("stepfunctions").describe_execution(executionArn=ended)
    assert (described["status"], described.get("output") is not None) == ("SUCCEEDED", True)
    assert len(session.client("stepfunctions").get_execution_history(executionArn=ended)["events"]) > 4


def test_what_ran_when_the_process_was_killed_ends_failed_with_a_reason_and_is_announced_once_deployed(
    started: platform.RunningPlatform, assembly: Path
) -> None:
    names = outputs(started, "Kept")
    arn = (
        started.session()
        .client("stepfunctions")
        .start_execution(stateMachineArn=names["Machine"], input='{"seconds": 50}', name="interrupted")["executionArn"]
    )
    time.sleep(1.0)
    started.kill()

    second = again(started, assembly)

    described = second.session().client("stepfunctions").describe_execution(executionArn=arn)
    assert (described["status"], described["error"]) == ("FAILED", "Platform.Restarted")
    assert "restarted" in described["cause"]
    events = second.session().client("stepfunctions").get_execution_history(executionArn=arn)["events"]
    assert events[-1]["executionFailedEventDetails"]["error"] == "Platform.Restarted"
    assert eventually(lambda: notes_of(second, names["note"])) == ["noted interrupted"]
    second.stop()
    third = again(second, assembly)
    time.sleep(1.0)
    assert notes_of(third, names["note"]) == ["noted interrupted"]


def test_an_event_whose_function_was_killed_is_delivered_again(
    started: platform.RunningPlatform, assembly: Path
) -> None:
    names = outputs(started, "Kept")
    states = started.session().client("stepfunctions")
    arn = states.start_execution(stateMachineArn=names["Machine"], input='{"seconds": "x"}', name="slowly-noted")[
        "executionArn"
    ]
    eventually(lambda: states.describe_execution(executionArn=arn)["status"] == "FAILED")
    time.sleep(1.0)  # the end is in a checkpoint, so nothing but the journal can tell of it again
    started.kill()

    second = again(started, assembly)

    assert set(eventually(lambda: notes_of(second, names["note"]))) == {"noted slowly-noted"}


def test_a_function_that_fails_twice_gets_its_event_a_third_time(started: platform.RunningPlatform) -> None:
    names = outputs(started, "Kept")
    started.session().client("events").put_events(
        Entries=[{"Source": "test.flaky", "DetailType": "any", "Detail": json.dumps({"name": "x"})}]
    )
    assert eventually(lambda: notes_of(started, names["flaky"])) == ["noted after 3"]


def test_two_quick_puts_to_one_key_are_two_events_with_two_versions(
    started: platform.RunningPlatform,
) -> None:
    names = outputs(started, "Kept")
    s3, sqs = started.session().client("s3"), started.session().client("sqs")
    put = [s3.put_object(Bucket=names["Data"], Key="same", Body=body)["VersionId"] for body in (b"1", b"2")]
    seen: list[dict[str, Any]] = []

    def both() -> bool:
        received = sqs.receive_message(QueueUrl=names["Seen"], MaxNumberOfMessages=10)
        seen.extend(json.loads(message["Body"])["detail"]["object"] for message in received.get("Messages", []))
        return len(seen) >= 2

    eventually(both)
    assert sorted(found["version-id"] for found in seen) == sorted(put)
    assert {found["key"] for found in seen} == {"same"}


def test_each_version_keeps_its_bytes_and_the_one_before_returns_when_the_latest_is_deleted(
    started: platform.RunningPlatform, assembly: Path
) -> None:
    bucket = outputs(started, "Kept")["Data"]
    s3 = started.session().client("s3")
    first, second = (s3.put_object(Bucket=bucket, Key="k", Body=body)["VersionId"] for body in (b"one", b"two"))

    assert s3.get_object(Bucket=bucket, Key="k", VersionId=first)["Body"].read() == b"one"
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"two"
    s3.delete_object(Bucket=bucket, Key="k", VersionId=second)
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"one"
    third = s3.put_object(Bucket=bucket, Key="k", Body=b"three")["VersionId"]
    s3.delete_object(Bucket=bucket, Key="k")
    started.kill()

    s3 = again(started, assembly).session().client("s3")
    assert s3.get_object(Bucket=bucket, Key="k", VersionId=third)["Body"].read() == b"three"
    assert s3.get_object(Bucket=bucket, Key="k", VersionId=first)["Body"].read() == b"one"


def test_large_objects_do_not_stay_in_the_memory_of_the_launcher(started: platform.RunningPlatform) -> None:
    bucket = outputs(started, "Kept")["Data"]
    s3 = started.session().client("s3")
    s3.put_object(Bucket=bucket, Key="warm-up", Body=b"x")
    before = resident_megabytes(started.pid)
    for number in range(6):
        s3.put_object(Bucket=bucket, Key="large", Body=bytes([number]) * 20_000_000)

    assert resident_megabytes(started.pid) - before < 100


def test_a_function_of_a_killed_launcher_is_ended_by_the_next(
    started: platform.RunningPlatform, assembly: Path, tmp_path: Path
) -> None:
    started.session().client("stepfunctions").start_execution(
        stateMachineArn=outputs(started, "Kept")["Machine"],
        input=json.dumps({"seconds": 40, "touch": str(tmp_path / "working")}),
    )
    eventually((tmp_path / "working").exists)
    left = function_processes(started)
    started.kill()
    assert function_processes(started) == left

    again(started, assembly)

    eventually(lambda: not set(left) & set(function_processes(started)))


def resident_megabytes(pid: int) -> float:
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1000


def function_processes(running: platform.RunningPlatform) -> list[int]:
    mark = f"LAMBDA_RUNTIME_DIR={running.state_dir}".encode()
    found = []
    for environment in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if mark in environment.read_bytes():
                found.append(int(environment.parent.name))
    return found


def test_starting_twice_is_starting_once_and_a_taken_port_is_named(
    started: platform.RunningPlatform, tmp_path: Path
) -> None:
    assert platform.start(started.state_dir).pid == started.pid
    port = int(started.endpoint_url.rpartition(":")[2])
    with pytest.raises(platform.PlatformUnavailable, match=f"Port {port} is used by another program"):
        platform.start(tmp_path / "other", port=port)


def test_a_restarted_platform_is_where_it_was_since_its_addresses_are_deployed(
    started: platform.RunningPlatform, assembly: Path
) -> None:
    started.stop()
    with_same_state = again(started, assembly)
    assert (with_same_state.endpoint_url, with_same_state.dashboard_url) == (
        started.endpoint_url,
        started.dashboard_url,
    )

    with_same_state.stop()
    with socket.socket() as busy:
        port = int(started.endpoint_url.rpartition(":")[2])
        busy.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        busy.bind(("127.0.0.1", port))
        busy.listen()
        with pytest.raises(platform.PlatformUnavailable, match=f"Port {port} is used by another program"):
            again(started, assembly)


def test_the_written_profile_leads_to_the_platform(
    started: platform.RunningPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    import boto3

    monkeypatch.setenv("AWS_CONFIG_FILE", str(started.state_dir / "aws" / "config"))
    monkeypatch.setenv("AWS_PROFILE", "millrace-local")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    session = boto3.Session()

    assert session.client("s3").meta.endpoint_url == started.endpoint_url
    assert session.client("sts").get_caller_identity()["Account"] == "000000000000"
