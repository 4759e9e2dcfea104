"""Take every granted permission away, one at a time, and see a story break: `make permissions-drill`.

One platform, one world; a story is told with everything granted before its permissions are taken and after the last of
them was given back, so that what breaks in between breaks for the missing permission. contracts/permissions_drill.json
keeps what was seen after each story, so a drill that is interrupted goes on with the story where it was.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

import boto3

from local import platform as local_platform
from millrace import bootstrap
from millrace.cli.deployment import LOCAL_STATE, connect
from scripts.granted_permissions import ROOT, used_by_code
from tests.drill import results
from tests.drill.permissions import Pair, broken_by, story_of
from tests.drill.stories import Story
from tests.drill.world import World, build_world
from tests.e2e.conftest import Bench


def main() -> None:
    parser = argparse.ArgumentParser(description="Take each permission away and see a story break.")
    parser.add_argument("roles", nargs="*", help="of these roles; of all, when none is named")
    parser.add_argument("--again", action="store_true", help="also those that have a result")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        subprocess.run([sys.executable, "app.py", "local", "--output", str(root / "cdk.out")], cwd=ROOT, check=True)
        assembly = root / "cdk.out" / "assembly-local"
        known = used_by_code(json.loads(path.read_text()) for path in assembly.glob("*.template.json"))
        wanted = [pair for pair in known if not given.roles or pair[0] in given.roles]
        if not given.again:
            wanted = [pair for pair in wanted if not results.has(*pair)]
        in_vain = drill(wanted, root, assembly) if wanted else 0
    results.forget_all_but(known)
    print(f"{results.count()} of {len(known)} permissions break a story; {in_vain} of {len(wanted)} tried did not")
    sys.exit(1 if in_vain else 0)


def drill(wanted: Iterable[Pair], root: Path, assembly: Path) -> int:
    """How many permissions broke nothing. What broke is kept as it is seen."""
    running = local_platform.start(root / LOCAL_STATE, port=0, assembly=assembly)
    try:
        settings = connect("local", root)
        world = build_world(Bench(bootstrap.platform(settings), settings.data_bucket, boto3.Session(), root))
        by_story = sorted(wanted, key=lambda pair: (story_of(*pair).__name__, pair))
        return sum(_drill_story(world, list(group)) for _, group in groupby(by_story, key=lambda pair: story_of(*pair)))
    finally:
        running.stop()


def _drill_story(world: World, pairs: list[Pair]) -> int:
    story, seen = story_of(*pairs[0]), {}
    if not _told(world, story):
        return len(pairs)
    for role, action in pairs:
        began = time.monotonic()
        seen[role, action] = broken_by(world, role, action, story)
        said = seen[role, action] or "NOTHING BREAKS"
        print(f"{time.monotonic() - began:6.1f} s  {role} {action}: {said}", flush=True)
    world.settle()
    if not _told(world, story):
        return len(pairs)
    for (role, action), how in seen.items():
        if how:
            results.keep(role, action, story.__name__, how)
    return sum(not how for how in seen.values())


def _told(world: World, story: Story) -> bool:
    """Whether the story holds with everything granted: otherwise its breaking shows nothing."""
    try:
        story(world)
    except Exception as broken:
        print(f"{story.__name__} does not hold with everything granted: {broken!r:.300}", flush=True)
        return False
    return True


if __name__ == "__main__":
    main()
