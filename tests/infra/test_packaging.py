"""What the templates deploy: built without Docker, the same for the same sources, and complete."""

from __future__ import annotations

import ast
import json
import re
import stat
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from stacks import packaging
from stacks.config import GRAVITON, LambdaTarget, this_machine
from stacks.packaging import CALLED_SERVICES, REPOSITORY, Package, PackagingFailed

FILES = {"pack/__init__.py": b"", "pack/answer.py": b"ANSWER = 42\n"}


@pytest.fixture(scope="session")
def graviton() -> Package:
    return packaging.lambda_package(GRAVITON)


@pytest.fixture(scope="session")
def host() -> Package:
    return packaging.lambda_package(this_machine())


class TestZip:
    """Sources that Python imports from one file."""

    def test_the_same_files_make_the_same_bytes_in_any_order_of_writing(self, tmp_path: Path) -> None:
        first = packaging.zip_package("code", FILES, build=tmp_path / "a")
        second = packaging.zip_package("code", dict(FILES), build=tmp_path / "b")

        assert first.digest == second.digest
        assert first.path.name == second.path.name
        assert first.path.read_bytes() == second.path.read_bytes()

    def test_python_imports_from_it(self, tmp_path: Path) -> None:
        package = packaging.zip_package("code", FILES, build=tmp_path)

        program = (
            f"import sys; sys.path.insert(0, {str(package.path)!r}); from pack.answer import ANSWER; print(ANSWER)"
        )
        assert subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout == b"42\n"

    @pytest.mark.parametrize(
        "changed",
        [{"pack/answer.py": b"ANSWER = 43\n"}, {"pack/more.py": b""}, {"pack/other.py": FILES["pack/answer.py"]}],
    )
    def test_another_content_or_another_name_is_another_digest(self, changed: dict[str, bytes], tmp_path: Path) -> None:
        assert packaging.digest_of({**FILES, **changed}) != packaging.digest_of(FILES)

    def test_it_is_not_built_twice(self, tmp_path: Path) -> None:
        package = packaging.zip_package("code", FILES, build=tmp_path)
        package.path.write_bytes(b"built before")

        assert packaging.zip_package("code", FILES, build=tmp_path).path.read_bytes() == b"built before"

    def test_everybody_may_read_it(self, tmp_path: Path) -> None:
        package = packaging.zip_package("code", FILES, build=tmp_path)

        assert stat.S_IMODE(package.path.stat().st_mode) == 0o644


class TestSources:
    def test_packages_and_modules_are_listed_in_order_without_what_is_not_python(self, tmp_path: Path) -> None:
        for name in ("two/b.py", "two/a.py", "two/notes.txt", "one.py"):
            path = tmp_path / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(name)

        assert packaging.sources("two", "one.py", root=tmp_path) == {
            "one.py": b"one.py",
            "two/a.py": b"two/a.py",
            "two/b.py": b"two/b.py",
        }


class TestLambdaPackage:
    """One directory for all functions."""

    def test_for_graviton_every_compiled_library_is_for_graviton(self, graviton: Package) -> None:
        compiled = {path.name for path in graviton.path.rglob("*.so")}

        assert compiled
        assert [name for name in compiled if "aarch64" not in name or "313" not in name] == []

    def test_for_this_machine_it_imports_here_alone(self, host: Package) -> None:
        program = (
            "import boto3, pydantic, aws_lambda_powertools, charset_normalizer, clevercsv, yaml, millrace, lambdas"
        )
        # -S: without site-packages, so that nothing is found outside the package.
        command = [sys.executable, "-S", "-c", f"{program}; print(pydantic.__file__)"]
        found = subprocess.run(command, cwd=host.path, capture_output=True, text=True, check=False)

        assert found.returncode == 0, found.stderr
        assert found.stdout.startswith(str(host.path))

    def test_for_this_machine_it_is_compiled_and_python_uses_that(self, host: Package) -> None:
        program = "import pydantic.main; print(pydantic.main.__cached__)"
        command = [sys.executable, "-S", "-v", "-c", program]
        found = subprocess.run(command, cwd=host.path, capture_output=True, text=True, check=True)

        assert Path(found.stdout.strip()).exists()
        assert re.search(r"code object from .*pydantic/__pycache__/main\.cpython-\d+\.pyc", found.stderr)

    @pytest.mark.parametrize("target", ["graviton", "host"])
    def test_our_code_is_in_it_as_it_is_here(self, target: str, request: pytest.FixtureRequest) -> None:
        package: Package = request.getfixturevalue(target)

        for name, content in packaging.sources("millrace", "lambdas").items():
            assert (package.path / name).read_bytes() == content

    def test_it_has_what_botocore_needs_for_every_client_the_code_makes(self, graviton: Package) -> None:
        services = {path.name for path in (graviton.path / "botocore" / "data").iterdir() if path.is_dir()}

        assert services == CALLED_SERVICES
        assert clients_made("millrace/adapters", "millrace/bootstrap.py", "lambdas") <= CALLED_SERVICES

    def test_it_leaves_out_what_no_function_reads(self, graviton: Package) -> None:
        names = {path.name for path in graviton.path.rglob("*") if path.is_dir()}
        metadata = {path.name for path in graviton.path.glob("*.dist-info/**/*") if path.is_file()}

        assert not names & {"tests", "__pycache__", "bin", "stubs", "stacks", "local"}
        assert metadata == {"METADATA"}

    def test_it_is_far_below_the_limit(self, graviton: Package) -> None:
        size = sum(file.stat().st_size for file in graviton.path.rglob("*") if file.is_file())

        assert size < 40 * 2**20

    def test_a_package_over_the_limit_is_refused_with_advice_and_not_kept(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(packaging, "_install", nothing)
        monkeypatch.setattr(packaging, "_strip", nothing)
        monkeypatch.setattr(packaging, "LAMBDA_LIMIT_BYTES", 1)

        with pytest.raises(PackagingFailed, match=r"AWS accepts 0: move what only some functions need"):
            packaging.lambda_package(GRAVITON, build=tmp_path)

        assert list(tmp_path.glob("lambda-*")) == []

    def test_another_target_is_another_package(self, graviton: Package, host: Package) -> None:
        assert graviton.digest != host.digest
        assert graviton.path != host.path

    def test_a_change_of_our_code_installs_nothing(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        target = this_machine()
        requirements = packaging.locked_requirements("lambda")
        before = packaging.lambda_libraries(requirements, target)
        monkeypatch.setattr(packaging, "_install", refuse)

        assert packaging.lambda_libraries(requirements, target) == before

    def test_an_unfinished_build_is_never_found(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(requirements: str, target: LambdaTarget, directory: Path) -> None:
            (directory / "half").mkdir()
            raise PackagingFailed("the network is gone")

        monkeypatch.setattr(packaging, "_install", fail)

        with pytest.raises(PackagingFailed, match="the network is gone"):
            packaging.lambda_package(this_machine(), build=tmp_path)

        assert list(tmp_path.glob("l*-*")) == []

    def test_old_packages_are_forgotten(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(packaging, "KEPT_BUILDS", 2)
        monkeypatch.setattr(packaging, "_install", nothing)
        monkeypatch.setattr(packaging, "_strip", nothing)
        for digest in ("a", "b"):
            (tmp_path / f"lambda-{digest}").mkdir()

        newest = packaging.lambda_package(GRAVITON, build=tmp_path)

        left = list(tmp_path.glob("lambda-*"))
        assert len(left) == 2
        assert newest.path in left


def nothing(*arguments: object) -> None:
    """Builds an empty package."""


def refuse(*arguments: object) -> None:
    raise AssertionError(f"called with {arguments}")


def clients_made(*places: str) -> set[str]:
    """The services of every `….client("service")` in our sources."""

    def calls() -> Iterator[ast.Call]:
        for content in packaging.sources(*(place for place in places if (REPOSITORY / place).exists())).values():
            yield from (node for node in ast.walk(ast.parse(content)) if isinstance(node, ast.Call))

    return {
        argument.value
        for call in calls()
        if isinstance(call.func, ast.Attribute) and call.func.attr in {"client", "resource"}
        for argument in call.args[:1]
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    }


class TestLock:
    def test_requirements_are_pinned_with_hashes_and_without_ourselves(self) -> None:
        requirements = packaging.locked_requirements("lambda")

        pinned = re.findall(r"^([a-z0-9-]+)==[^ ]+ \\$", requirements, flags=re.MULTILINE)
        assert {"boto3", "pydantic", "aws-lambda-powertools", "clevercsv"} <= set(pinned)
        assert not {"millrace", "pytest", "pandas", "numpy", "aws-cdk-lib"} & set(pinned)
        assert requirements.count("--hash=sha256:") >= len(pinned)

    def test_a_version_is_the_locks(self) -> None:
        assert re.fullmatch(r"\d+\.\d+\.\d+", packaging.locked_version("pydantic"))

    def test_a_package_that_is_not_locked_is_refused(self) -> None:
        with pytest.raises(PackagingFailed, match="pins no version of left-pad"):
            packaging.locked_version("left-pad")

    def test_without_uv_the_message_says_where_to_get_it(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(packaging, "REPOSITORY", tmp_path)
        monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
        monkeypatch.setenv("PATH", str(tmp_path))

        with pytest.raises(PackagingFailed, match="pip install uv"):
            packaging.locked_requirements("lambda")

    def test_what_uv_says_when_it_fails_is_passed_on(self) -> None:
        with pytest.raises(PackagingFailed, match=r"(?s)uv export --frozen.*no-such-extra"):
            packaging.locked_requirements("no-such-extra")


class TestGlueJob:
    def test_it_installs_the_locked_versions_of_what_glue_has_not(self, assembly: Path) -> None:
        (job,) = [
            resource["Properties"]
            for path in assembly.glob("assembly-prod/*Ingest*.template.json")
            for resource in json.loads(path.read_text())["Resources"].values()
            if resource["Type"] == "AWS::Glue::Job"
        ]
        arguments = job["DefaultArguments"]

        assert (job["GlueVersion"], job["Command"]["Name"], job["WorkerType"]) == ("5.1", "glueetl", "G.1X")
        assert arguments["--additional-python-modules"] == ",".join(
            f"{name}=={packaging.locked_version(name)}" for name in ("pydantic", "datasketches")
        )
        assert arguments["--conf"] == "spark.sql.ansi.enabled=false --conf spark.sql.session.timeZone=UTC"
        assert job["ExecutionProperty"] == {"MaxConcurrentRuns": 20}
        assert job["MaxRetries"] == 0

    def test_the_core_it_imports_is_the_core_of_this_repository(self, assembly: Path) -> None:
        archives = [
            set(zipfile.ZipFile(path).namelist()) for path in assembly.glob("asset.*.zip") if zipfile.is_zipfile(path)
        ]

        assert set(packaging.sources("millrace", "glue_jobs")) in archives
