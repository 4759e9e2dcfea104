"""What is downloaded where, and what an archive looks like."""

import os
import shutil
import tarfile
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from local.jobs.transfer import (
    FolderMirror,
    RemoteFile,
    S3Location,
    TransferFailed,
    download,
    files_below,
    find_inputs,
    pack,
    relative_path,
    shard,
)


class InMemoryS3:
    """The few operations of a boto3 client that transfers need; `denied` operations answer 403."""

    def __init__(self, objects: dict[str, bytes] | None = None, denied: frozenset[str] = frozenset()) -> None:
        self.objects = dict(objects or {})
        self.denied = denied

    def get_paginator(self, _operation: str) -> "InMemoryS3":
        return self

    def paginate(self, **request: str) -> list[dict[str, Any]]:
        self._allow("ListObjectsV2")
        return [{"Contents": [{"Key": key} for key in self.objects if key.startswith(request["Prefix"])]}]

    def download_file(self, _bucket: str, key: str, path: str, **_options: Any) -> None:
        self._allow("GetObject")
        Path(path).write_bytes(self.objects[key])

    def upload_file(self, path: str, _bucket: str, key: str, **_options: Any) -> None:
        self._allow("PutObject")
        self.objects[key] = Path(path).read_bytes()

    def delete_object(self, **request: str) -> None:
        del self.objects[request["Key"]]

    def _allow(self, operation: str) -> None:
        if operation in self.denied:
            raise ClientError({"Error": {"Code": "403", "Message": "Forbidden"}}, operation)


@pytest.mark.parametrize(
    ("prefix", "key", "relative"),
    [
        ("data/train/", "data/train/a.csv", "a.csv"),
        ("data/train", "data/train/deep/a.csv", "deep/a.csv"),
        ("data/train/a.csv", "data/train/a.csv", "a.csv"),
        ("data/tr", "data/train.csv", "train.csv"),
        ("", "a/b", "a/b"),
    ],
)
def test_an_object_keeps_its_path_below_what_the_prefix_names(prefix: str, key: str, relative: str) -> None:
    assert relative_path(prefix, key) == relative


@given(st.lists(st.text("abc/", min_size=1), unique=True, max_size=30), st.integers(1, 5))
def test_sharding_gives_every_file_to_exactly_one_host(keys: list[str], hosts: int) -> None:
    files = [RemoteFile(S3Location("b", key), key) for key in sorted(keys)]

    parts = [shard(files, host, hosts) for host in range(hosts)]

    assert sorted(file.relative for part in parts for file in part) == sorted(keys)
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_an_address_that_is_not_in_s3_is_refused() -> None:
    with pytest.raises(TransferFailed, match="not an S3 URI"):
        S3Location.parse("https://bucket/key")
    assert S3Location.parse("s3://bucket/a/b") == S3Location("bucket", "a/b")
    assert S3Location("bucket", "a/").child("b/c").uri == "s3://bucket/a/b/c"


def test_an_input_without_objects_or_without_the_right_to_list_them_says_so() -> None:
    with pytest.raises(TransferFailed, match=r"^ClientError: Data download failed:No S3 objects found under S3 URL"):
        find_inputs(InMemoryS3(), "s3://b/x/", "role")
    with pytest.raises(TransferFailed, match="Forbidden"):
        find_inputs(InMemoryS3({"x/a": b""}, denied=frozenset({"ListObjectsV2"})), "s3://b/x/", "role")


def test_folder_markers_are_no_files() -> None:
    s3 = InMemoryS3({"x/": b"", "x/a": b"1"})

    assert [file.relative for file in find_inputs(s3, "s3://b/x/", "role")] == ["a"]


def test_a_key_cannot_lead_out_of_its_directory(tmp_path: Path) -> None:
    s3 = InMemoryS3({"x/../../escaped": b"1"})

    with pytest.raises(TransferFailed, match="leads out of its directory"):
        download(s3, find_inputs(s3, "s3://b/x/", "role"), tmp_path / "channel" / "deep")


def test_archives_of_the_same_files_are_the_same_bytes_whenever_and_in_whatever_order_they_were_written(
    tmp_path: Path,
) -> None:
    for name, order in (("one", ["a", "b/c"]), ("two", ["b/c", "a"])):
        for index, file in enumerate(order):
            path = tmp_path / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(file)
            os.utime(path, (index * 1000, index * 1000))
    pack([tmp_path / "one"], tmp_path / "1.tar.gz")
    pack([tmp_path / "two"], tmp_path / "2.tar.gz")

    assert (tmp_path / "1.tar.gz").read_bytes() == (tmp_path / "2.tar.gz").read_bytes()
    with tarfile.open(tmp_path / "1.tar.gz") as tar:
        assert tar.getnames() == ["a", "b/c"]


def test_directories_of_several_hosts_are_laid_over_each_other_and_the_first_wins(tmp_path: Path) -> None:
    for host, files in (("one", {"a": "1"}), ("two", {"a": "2", "b": "2"})):
        (tmp_path / host).mkdir()
        for name, text in files.items():
            (tmp_path / host / name).write_text(text)
    pack([tmp_path / "one", tmp_path / "two"], tmp_path / "both.tar.gz")

    with tarfile.open(tmp_path / "both.tar.gz") as tar:
        contents = {name: tar.extractfile(name).read() for name in tar.getnames()}  # type: ignore[union-attr]
    assert contents == {"a": b"1", "b": b"2"}


def test_symbolic_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("1")
    (tmp_path / "link").symlink_to("/etc/hostname")

    assert files_below(tmp_path) == [tmp_path / "real"]


def test_a_mirror_sends_what_changed_and_removes_what_was_deleted(tmp_path: Path) -> None:
    s3 = InMemoryS3({"c/old": b"kept", "c-other/x": b"not ours"})
    mirror = FolderMirror(s3, tmp_path, S3Location("b", "c"))

    mirror.restore()
    assert (tmp_path / "old").read_bytes() == b"kept"
    assert not (tmp_path / "x").exists()

    (tmp_path / "new").write_bytes(b"1")
    mirror.push()
    assert s3.objects["c/new"] == b"1"

    s3.objects["c/new"] = b"untouched"
    (tmp_path / "old").unlink()
    mirror.push()
    assert s3.objects == {"c/new": b"untouched", "c-other/x": b"not ours"}


def test_a_file_that_is_written_while_it_is_sent_is_sent_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3 = InMemoryS3()
    mirror = FolderMirror(s3, tmp_path, S3Location("b", "c"))
    checkpoint = tmp_path / "state"
    checkpoint.write_bytes(b"half")
    copy = shutil.copyfile

    def copy_too_early(source: Path, target: Path) -> None:
        copy(source, target)
        checkpoint.write_bytes(b"half and the other half")

    with monkeypatch.context() as racing:
        racing.setattr(shutil, "copyfile", copy_too_early)
        mirror.push()
    assert s3.objects == {}

    mirror.push()
    assert s3.objects == {"c/state": b"half and the other half"}


def test_a_file_that_is_renamed_while_it_is_sent_does_no_harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    s3 = InMemoryS3()
    mirror = FolderMirror(s3, tmp_path, S3Location("b", "c"))
    (tmp_path / "state.new").write_bytes(b"1")
    copy = shutil.copyfile

    def rename_then_copy(source: Path, target: Path) -> None:
        (tmp_path / "state.new").rename(tmp_path / "state")
        copy(source, target)

    with monkeypatch.context() as racing:
        racing.setattr(shutil, "copyfile", rename_then_copy)
        mirror.push()
    mirror.push()
    assert s3.objects == {"c/state": b"1"}


def test_an_upload_that_is_refused_names_the_place(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    mirror = FolderMirror(InMemoryS3(denied=frozenset({"PutObject"})), tmp_path, S3Location("b", "c"))

    with pytest.raises(TransferFailed, match="Artifact upload failed:s3://b/c/a"):
        mirror.push()
