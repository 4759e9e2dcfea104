"""`python -m local up | down | status`: the local platform from a shell."""

import argparse
import json
import sys
import time
from pathlib import Path

from local import people, platform
from local.assembly import AssemblyInvalid
from local.deployer import DeploymentFailed

STATE_DIR = Path(".millrace")


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code. What went wrong goes to standard error in one sentence."""
    parsed = _parser().parse_args(arguments)
    try:
        return int(parsed.run(parsed))
    except (AssemblyInvalid, DeploymentFailed, platform.PlatformUnavailable) as error:
        print(error, file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    parser.add_argument("--state-dir", type=Path, default=STATE_DIR)
    commands = parser.add_subparsers(required=True)
    up = commands.add_parser("up", help="start the embedded AWS and deploy the synthesised templates to it")
    up.add_argument("--assembly", type=Path, help="a stage of cdk.out; the only one there when left out")
    up.add_argument("--port", type=int, help=f"As before, or {platform.DEFAULT_PORT}.")
    up.add_argument("--dashboard-port", type=int, help=f"As before, or {platform.DEFAULT_DASHBOARD_PORT}.")
    up.set_defaults(run=_up)
    down = commands.add_parser("down", help="stop it; its state is kept")
    down.set_defaults(run=_down)
    status = commands.add_parser("status", help="say whether it runs, and what is in it")
    status.add_argument("--json", action="store_true")
    status.set_defaults(run=_status)
    for command in (up, down, status):
        command.add_argument("--state-dir", type=Path, default=argparse.SUPPRESS)
    return parser


def _up(arguments: argparse.Namespace) -> int:
    started = time.monotonic()
    assembly = arguments.assembly or find_assembly(Path("cdk.out"))
    known = platform.known_ports(arguments.state_dir)
    running = platform.start(
        arguments.state_dir,
        arguments.port or known.api or platform.DEFAULT_PORT,
        assembly,
        report=_print_step,
        dashboard_port=arguments.dashboard_port or known.dashboard or platform.DEFAULT_DASHBOARD_PORT,
    )
    admitted = people.invite(running.session(), running.state_dir, running.dashboard_url)
    print(f"ready at {running.endpoint_url} after {time.monotonic() - started:.1f} s")
    print(f"export AWS_CONFIG_FILE={running.state_dir / 'aws' / 'config'}")
    print(f"export AWS_PROFILE={platform.PROFILE}")
    _print_dashboard(running.dashboard_url, admitted)
    return 0


def _print_dashboard(url: str, admitted: list[people.Person]) -> None:
    print(f"dashboard at {url}")
    for person in admitted:
        print(f"  sign in as {person.name:<10} {person.password}  ({', '.join(person.groups)})")


def find_assembly(directory: Path) -> Path:
    """Return the only stage of a cdk.out. Raises AssemblyInvalid when there is none or a choice."""
    stages = sorted(directory.glob("assembly-*"))
    if len(stages) == 1:
        return stages[0]
    if not stages and (directory / "manifest.json").is_file():
        return directory
    found = ", ".join(stage.name for stage in stages) or "none"
    raise AssemblyInvalid(f"{directory} should hold one synthesised stage and has {found}; name one with --assembly.")


def _down(arguments: argparse.Namespace) -> int:
    running = platform.running(arguments.state_dir)
    if running is None:
        print("not running")
        return 0
    started = time.monotonic()
    running.stop()
    print(f"stopped after {time.monotonic() - started:.1f} s; its state is kept in {running.state_dir}")
    return 0


def _status(arguments: argparse.Namespace) -> int:
    found = platform.describe(arguments.state_dir)
    if arguments.json:
        print(json.dumps(found, indent=2))
    elif not found["running"]:
        print("not running")
    else:
        _print_status(found)
    return 0 if found["running"] else 1


def _print_status(found: dict[str, object]) -> None:
    print(f"running at {found['endpoint_url']} for {found['uptime_seconds']} s (process {found['pid']})")
    print(f"log {found['log_file']}")
    print(f"dashboard at {found['dashboard_url']}; who may sign in is in {found['people_file']}")
    for stack in found["stacks"]:  # type: ignore[attr-defined]
        print(f"  {stack['name']}  {stack['status']}")
    for resource in found["no_op_resources"]:  # type: ignore[attr-defined]
        print(f"  does nothing here: {resource['type']} {resource['name']} in {resource['stack']}")


def _print_step(name: str, seconds: float) -> None:
    print(f"{seconds:6.1f} s  {name}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
