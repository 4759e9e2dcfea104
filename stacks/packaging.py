"""Builds what the templates deploy, without Docker: the Lambda package and the zips of Python sources.

Everything is named by a digest of what went into it and kept in `.millrace/build`, so an unchanged part is never built
twice, and two machines that build the same sources deploy the same names.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from stacks.config import LambdaTarget

REPOSITORY = Path(__file__).resolve().parents[1]
BUILD = REPOSITORY / ".millrace" / "build"

# This module decides what is built from the same sources, so it is part of every digest of a build.
RECIPE = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
# AWS refuses a function whose unzipped package is larger.
LAMBDA_LIMIT_BYTES = 250 * 1024 * 1024
# A zip entry cannot be older, and a constant makes equal contents equal bytes.
ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
# botocore describes 400 services in 27 MB; functions call these. A test compares the list with the code's clients.
CALLED_SERVICES = frozenset(
    {
        "application-autoscaling",
        "cloudfront",
        "cloudwatch",
        "dynamodb",
        "events",
        "logs",
        "s3",
        "sagemaker",
        "sagemaker-runtime",
        "scheduler",
        "sns",
        "sqs",
        "ssm",
        "stepfunctions",
        "sts",
    }
)
# Directories that the clevercsv wheel leaves beside its package by accident.
STRAY = ("auxiliary", "docs", "man", "notes", "src", "stubs")
# onnx imports it; the image may have an older one.
ALSO_EXPORTED = frozenset({"typing-extensions"})
# Packages kept per kind: enough to switch between branches and environments without building again.
KEPT_BUILDS = 12
# Training and conversion tools of onnxruntime, and the models that onnx tests itself with.
UNREAD_OF_ONNX = (
    *(f"onnxruntime/{part}" for part in ("backend", "datasets", "quantization", "tools", "transformers")),
    "onnx/backend/test",
)
# Headers, and what speaks protocols that nothing here speaks.
UNREAD_OF_ARROW = (
    "pyarrow/include",
    "pyarrow/libarrow_flight.so.*",
    "pyarrow/libarrow_python_flight.so*",
    "pyarrow/_flight.*",
)
# Of a wheel's metadata only this is read at run time (importlib.metadata.version).
KEPT_METADATA = "METADATA"


# Extras of pyproject.toml that some functions have beside `lambda`.
Brought = Literal["predict", "profile"]


class PackagingFailed(Exception):
    """A package could not be built. The message says what to do."""


@dataclass(frozen=True)
class Package:
    """A file or directory to deploy, with the digest of what it was built from."""

    path: Path
    digest: str


def sources(*parts: str, root: Path = REPOSITORY) -> dict[str, bytes]:
    """The Python files of the named packages and modules: path relative to the repository → content, sorted."""
    found: dict[str, bytes] = {}
    for part in parts:
        path = root / part
        files = path.rglob("*.py") if path.is_dir() else [path]
        found.update({file.relative_to(root).as_posix(): file.read_bytes() for file in files})
    return dict(sorted(found.items()))


def digest_of(files: Mapping[str, bytes], *facts: str) -> str:
    """SHA-256 over names and contents, and over other facts that decide the result."""
    total = hashlib.sha256()
    for fact in (*facts, *(f"{name}\0{hashlib.sha256(content).hexdigest()}" for name, content in files.items())):
        total.update(fact.encode() + b"\n")
    return total.hexdigest()


def zip_package(name: str, files: Mapping[str, bytes], *, build: Path = BUILD) -> Package:
    """A zip from which Python can import. The same files give the same bytes on every machine."""
    digest = digest_of(files)
    target = build / f"{name}-{digest[:16]}.zip"
    if not target.exists():
        build.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=build, delete=False) as scratch, zipfile.ZipFile(scratch, "w") as archive:
            for path, content in files.items():
                # Stored, not deflated: the bytes then do not depend on the zlib of the machine.
                archive.writestr(zipfile.ZipInfo(path, ZIP_EPOCH), content)
        _publish(Path(scratch.name), target)
    return Package(target, digest)


def lambda_package(target: LambdaTarget, *, brings: Brought | None = None, build: Path = BUILD) -> Package:
    """The package of all functions: the lock's `lambda` extra, `millrace` and `lambdas`, for `target`.

    Functions that compute predictions or profiles have packages of their own, with the extra that they bring.
    """
    requirements = locked_requirements("lambda", *([brings] if brings else []))
    files = sources("millrace", "lambdas")
    digest = digest_of(files, RECIPE, requirements, repr(target), sys.platform if target.wheel_platform is None else "")
    package = build / f"lambda-{digest[:16]}"
    if not package.exists():
        build.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(dir=build))
        libraries = lambda_libraries(requirements, target, build=build)
        shutil.copytree(libraries, scratch, dirs_exist_ok=True, copy_function=_link)
        _write(files, scratch)
        refuse_oversize(scratch)
        _publish(scratch, package)
        _forget_oldest(build, "lambda-*")
    return Package(package, digest)


def lambda_libraries(requirements: str, target: LambdaTarget, *, build: Path = BUILD) -> Path:
    """The third-party part of the package: it changes with the lock only, so a change of our code costs no install."""
    digest = digest_of({}, RECIPE, requirements, repr(target), sys.platform)
    libraries = build / f"libraries-{digest[:16]}"
    if not libraries.exists():
        scratch = Path(tempfile.mkdtemp(dir=build))
        _install(requirements, target, scratch)
        _strip(scratch)
        if target.wheel_platform is None:
            _compile(scratch)
        _publish(scratch, libraries)
    return libraries


def export_libraries(target: LambdaTarget, *, build: Path = BUILD) -> Package:
    """A zip of what exports models and the SageMaker image lacks: the lock's extra `export` without the image's own."""
    brought = locked_names("sagemaker") - ALSO_EXPORTED
    requirements = locked_requirements("export", without=sorted(brought))
    digest = digest_of({}, RECIPE, requirements, repr(target), sys.platform if target.wheel_platform is None else "")
    package = build / f"export-{digest[:16]}.zip"
    if not package.exists():
        build.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=build) as scratch, tempfile.TemporaryDirectory(dir=build) as written:
            _install(requirements, target, Path(scratch))
            _strip(Path(scratch))
            archive = Path(shutil.make_archive(str(Path(written) / "libraries"), "zip", scratch))
            _publish(archive, package)
        _forget_oldest(build, "export-*")
    return Package(package, digest)


def locked_names(*extras: str) -> set[str]:
    """The packages of extras, and what they need."""
    return set(re.findall(r"^([a-z0-9._-]+)==", locked_requirements(*extras), re.MULTILINE))


def locked_requirements(*extras: str, without: Iterable[str] = ()) -> str:
    """What uv.lock pins for extras, with hashes, as requirements.txt. Needs no network."""
    command = ["export", "--frozen", "--no-default-groups", "--no-emit-project", "--no-header", "--no-annotate"]
    command += [part for extra in extras for part in ("--extra", extra)]
    command += [part for name in without for part in ("--no-emit-package", name)]
    return _uv(*command, "--quiet")


def locked_version(package: str) -> str:
    """The version uv.lock pins, for runtimes that install by name. Raises PackagingFailed when there is not one."""
    lock = tomllib.loads((REPOSITORY / "uv.lock").read_text())
    versions = {entry["version"] for entry in lock["package"] if entry["name"] == package}
    if len(versions) != 1:
        raise PackagingFailed(f"uv.lock pins {sorted(versions) or 'no version'} of {package}; exactly one is needed")
    return str(versions.pop())


def refuse_oversize(package: Path) -> None:
    size = sum(file.stat().st_size for file in package.rglob("*") if file.is_file())
    if size > LAMBDA_LIMIT_BYTES:
        raise PackagingFailed(
            f"the Lambda package has {size / 2**20:.0f} MB, and AWS accepts {LAMBDA_LIMIT_BYTES / 2**20:.0f}: "
            "move what only some functions need out of the `lambda` extra in pyproject.toml"
        )


def remove_stale(output: Path) -> None:
    """Delete from a directory of synthesised templates what this synthesis did not write.

    That is: environments that were not asked for, and assets that no template refers to any more.
    """
    written = json.loads((output / "manifest.json").read_text())["artifacts"]
    for stage in output.glob("assembly-*"):
        if stage.name not in written:
            shutil.rmtree(stage)
    referred = {
        source["source"]["path"].rsplit("/", 1)[-1]
        for manifest in output.rglob("*.assets.json")
        for source in json.loads(manifest.read_text())["files"].values()
    }
    for asset in output.glob("asset.*"):
        if asset.name not in referred:
            shutil.rmtree(asset) if asset.is_dir() else asset.unlink()


def _publish(scratch: Path, target: Path) -> None:
    """Give a finished build its name: nothing half-built is ever found under it. Losing against another build is fine.

    Temporary files are private to their maker; what is deployed is readable by all.
    """
    scratch.chmod(0o755 if scratch.is_dir() else 0o644)
    try:
        scratch.replace(target)
    except OSError:
        if not target.exists():
            raise
        shutil.rmtree(scratch)


def _link(source: str, target: str) -> None:
    """The libraries of two packages are the same files on disk; where links are impossible, copies."""
    try:
        Path(target).hardlink_to(source)
    except OSError:
        shutil.copy2(source, target)


def _forget_oldest(build: Path, pattern: str) -> None:
    builds = sorted(build.glob(pattern), key=lambda path: path.stat().st_mtime, reverse=True)
    for old in builds[KEPT_BUILDS:]:
        shutil.rmtree(old) if old.is_dir() else old.unlink()


def _install(requirements: str, target: LambdaTarget, directory: Path) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        listed = Path(scratch) / "requirements.txt"
        listed.write_text(requirements)
        command = ["pip", "install", "--quiet", "--target", str(directory), "--only-binary", ":all:", "--no-deps"]
        command += ["--require-hashes", "--link-mode", "copy", "--requirements", str(listed)]
        command += ["--python-version", target.python_version]
        if target.wheel_platform is not None:
            command += ["--python-platform", target.wheel_platform]
        _uv(*command)


def _strip(directory: Path) -> None:
    """Remove what no function reads: it would be uploaded and unpacked at every cold start."""
    unread = [
        *(directory / name for name in ("bin", *STRAY)),
        *directory.rglob("__pycache__"),
        *directory.rglob("tests"),
        *(directory / part for part in UNREAD_OF_ONNX),
    ]
    services = [path for path in directory.glob("botocore/data/*") if path.is_dir()]
    for path in unread + [path for path in services if path.name not in CALLED_SERVICES]:
        shutil.rmtree(path, ignore_errors=True)
    for path in [path for pattern in UNREAD_OF_ARROW for path in directory.glob(pattern)]:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    for metadata in directory.glob("*.dist-info/**/*"):
        if metadata.is_file() and metadata.name != KEPT_METADATA:
            metadata.unlink()
    (directory / ".lock").unlink(missing_ok=True)


def _compile(directory: Path) -> None:
    """Bytecode beside the sources, valid whatever the files' times: it halves a cold start."""
    command = [sys.executable, "-m", "compileall", "-q", "-s", str(directory), "--invalidation-mode", "unchecked-hash"]
    _run([*command, str(directory)])


def _write(files: Mapping[str, bytes], directory: Path) -> None:
    for name, content in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _uv(*arguments: str) -> str:
    # `make setup` brings a uv of its own; a person may have one.
    brought = (REPOSITORY / ".tools" / "bin" / "uv", Path(sys.executable).with_name("uv"))
    uv = next((str(path) for path in brought if path.exists()), shutil.which("uv"))
    if uv is None:
        raise PackagingFailed("the packages are built with `uv`, and none was found: pip install uv")
    return _run([uv, *arguments])


def _run(command: Iterable[str]) -> str:
    arguments = list(command)
    done = subprocess.run(arguments, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise PackagingFailed(f"`{' '.join(arguments[:3])} …` failed:\n{done.stderr.strip()}")
    return done.stdout
