"""`python job_launcher.py STATE_DIR PORT`: the embedded AWS, with short durations in its job services."""

import os
import sys
from pathlib import Path

from local.context import EmulatorContext
from local.emulator.environment import launcher_environment


def main() -> None:
    state_dir, port = Path(sys.argv[1]), int(sys.argv[2])
    context = EmulatorContext(
        endpoint_url=f"http://127.0.0.1:{port}",
        front_door_url="http://127.0.0.1:0",
        region="us-east-1",
        account_id="000000000000",
        state_dir=state_dir,
        python=sys.executable,
    )
    environment = launcher_environment(os.environ, context)
    Path(environment["TMPDIR"]).mkdir(parents=True, exist_ok=True)
    os.environ.clear()
    os.environ.update(environment)

    from local import jobs
    from local.emulator import hooks, server
    from local.jobs.platform import JobTimes

    for hook in hooks.HOOKS:
        if hook is not jobs.install:
            hook(context)
    jobs.install(context, times=JobTimes(stop_grace_seconds=1.5, minute_seconds=1.0, checkpoint_seconds=0.2))
    server.run(context)


if __name__ == "__main__":
    main()
