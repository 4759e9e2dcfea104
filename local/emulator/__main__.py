"""`python -m local.emulator`: the launcher process. Start it through local.platform, which waits for it and deploys."""

import argparse
import os
import shutil
import sys
from pathlib import Path

from local.context import EmulatorContext
from local.emulator import release
from local.emulator.environment import launcher_environment

ACCOUNT_ID = "000000000000"
REGION = "us-east-1"


def main() -> None:
    """Set the environment, import ministack (it reads the environment then), install the hooks and serve."""
    parser = argparse.ArgumentParser(prog="python -m local.emulator")
    parser.add_argument("--state-dir", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--dashboard-port", type=int, required=True)
    arguments = parser.parse_args()
    release.require_supported()
    context = EmulatorContext(
        endpoint_url=f"http://127.0.0.1:{arguments.port}",
        front_door_url=f"http://127.0.0.1:{arguments.dashboard_port}",
        region=REGION,
        account_id=ACCOUNT_ID,
        state_dir=arguments.state_dir.resolve(),
        python=sys.executable,
    )
    environment = launcher_environment(os.environ, context)
    shutil.rmtree(environment["TMPDIR"], ignore_errors=True)  # what a killed launcher unpacked
    Path(environment["TMPDIR"]).mkdir(parents=True)
    os.environ.clear()
    os.environ.update(environment)

    from local.emulator import hooks, server  # ministack reads the environment when it is imported

    for hook in hooks.HOOKS:
        hook(context)
    server.run(context)


if __name__ == "__main__":
    main()
