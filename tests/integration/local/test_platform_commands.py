import json
import socket
from pathlib import Path

import pytest
from conftest import write_assembly

from local import __main__ as command_line
from local import platform

TOPIC = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def test_up_deploys_prints_its_steps_and_can_be_repeated_and_down_keeps_the_state(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assembly = write_assembly(tmp_path / "out", {"Topics": TOPIC})
    state = ["--state-dir", str(tmp_path / "state")]
    up = ["up", "--assembly", str(assembly), "--port", free_port(), "--dashboard-port", free_port(), *state]
    try:
        assert command_line.main(up) == 0
        assert "Topics created" in capsys.readouterr().out
        assert command_line.main(up) == 0
        assert "Topics unchanged" in capsys.readouterr().out
    finally:
        assert command_line.main(["down", *state]) == 0
    assert "its state is kept" in capsys.readouterr().out
    assert command_line.main(["down", *state]) == 0
    assert "not running" in capsys.readouterr().out
    assert command_line.main(["status", "--json", *state]) == 1
    assert json.loads(capsys.readouterr().out)["running"] is False
    try:
        assert command_line.main(["up", "--assembly", str(assembly), *state]) == 0
        said = capsys.readouterr().out
        assert "Topics unchanged" in said
        assert f"ready at http://127.0.0.1:{up[4]} " in said
    finally:
        command_line.main(["down", *state])


def test_a_busy_port_and_a_missing_assembly_are_one_sentence_on_standard_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = ["--state-dir", str(tmp_path / "state")]
    assembly = write_assembly(tmp_path / "out", {"Topics": TOPIC})
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = str(busy.getsockname()[1])
        for option, other in (("--port", "--dashboard-port"), ("--dashboard-port", "--port")):
            ports = [option, port, other, free_port()]
            assert command_line.main(["up", "--assembly", str(assembly), *ports, *state]) == 1
            said = capsys.readouterr().err
            assert said == f"Port {port} is used by another program. Choose another one with {option}.\n"
    try:
        assert command_line.main(["up", "--assembly", str(tmp_path / "none"), "--port", free_port(), *state]) == 1
        assert "Synthesise first" in capsys.readouterr().err
        assert platform.running(tmp_path / "state") is None
    finally:
        command_line.main(["down", *state])


def test_the_only_synthesised_stage_is_found_and_a_choice_is_left_to_the_user(tmp_path: Path) -> None:
    (tmp_path / "assembly-local").mkdir()
    assert command_line.find_assembly(tmp_path).name == "assembly-local"
    (tmp_path / "assembly-prod").mkdir()
    with pytest.raises(command_line.AssemblyInvalid, match="assembly-local, assembly-prod; name one with --assembly"):
        command_line.find_assembly(tmp_path)
