"""Moves files between S3 and the directories of a job, as the job's role."""

import gzip
import shutil
import tarfile
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from boto3.exceptions import S3UploadFailedError
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import BotoCoreError, ClientError

MEBIBYTE = 1 << 20
TRANSFER = TransferConfig(use_threads=False, multipart_threshold=256 * MEBIBYTE, multipart_chunksize=64 * MEBIBYTE)
EPOCH_SECONDS = 0

Stamp = tuple[int, int]


class TransferFailed(Exception):
    """S3 refused, or there was nothing there. The text is what the service writes into FailureReason."""


@dataclass(frozen=True)
class S3Location:
    """A bucket and a key or a key prefix."""

    bucket: str
    key: str

    @staticmethod
    def parse(uri: str) -> "S3Location":
        scheme, _, rest = uri.partition("://")
        bucket, _, key = rest.partition("/")
        if scheme not in {"s3", "s3a", "s3n"} or not bucket:
            raise TransferFailed(f"ClientError: not an S3 URI: {uri}")
        return S3Location(bucket, key)

    @property
    def uri(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    def child(self, relative: str) -> "S3Location":
        prefix = self.key.rstrip("/")
        return S3Location(self.bucket, f"{prefix}/{relative}" if prefix else relative)


@dataclass(frozen=True)
class RemoteFile:
    """An object and the path it gets below the directory that its prefix is downloaded to."""

    location: S3Location
    relative: str


def relative_path(prefix: str, key: str) -> str:
    """The path of `key` below what `prefix` names: a directory, one object, or the start of several names."""
    directory = prefix if not prefix or prefix.endswith("/") else f"{prefix}/"
    if key.startswith(directory):
        return key[len(directory) :]
    return key[prefix.rfind("/") + 1 :]


def list_prefix(s3: Any, location: S3Location) -> list[RemoteFile]:
    """The objects whose keys start with the prefix, sorted by key; folder markers are left out."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=location.bucket, Prefix=location.key)
    keys = [item["Key"] for page in pages for item in page.get("Contents", []) if not item["Key"].endswith("/")]
    return [RemoteFile(S3Location(location.bucket, key), relative_path(location.key, key)) for key in sorted(keys)]


def shard(files: Sequence[RemoteFile], host: int, hosts: int) -> list[RemoteFile]:
    """The files of one host under ShardedByS3Key: each file goes to exactly one host."""
    return [file for index, file in enumerate(files) if index % hosts == host]


def find_inputs(s3: Any, uri: str, role_arn: str) -> list[RemoteFile]:
    """What an input names; raises TransferFailed with the service's words when there is nothing to see."""
    location = S3Location.parse(uri)
    try:
        files = list_prefix(s3, location)
    except (ClientError, BotoCoreError) as error:
        raise TransferFailed(_nothing_found(uri, role_arn, f" ({error})")) from error
    if not files:
        raise TransferFailed(_nothing_found(uri, role_arn, ""))
    return files


def _nothing_found(uri: str, role_arn: str, detail: str) -> str:
    return (
        f'ClientError: Data download failed:No S3 objects found under S3 URL "{uri}" given in input data source. '
        "Please ensure that the bucket exists in the selected region, that objects exist under that S3 prefix, "
        f'and that the role "{role_arn}" has "s3:ListBucket" permissions on the bucket.{detail}'
    )


def download(s3: Any, files: Iterable[RemoteFile], directory: Path) -> None:
    """Put every file below `directory`."""
    directory.mkdir(parents=True, exist_ok=True)
    for file in files:
        target = (directory / file.relative).resolve()
        if not target.is_relative_to(directory.resolve()):
            raise TransferFailed(f"ClientError: Data download failed:{file.location.uri} leads out of its directory")
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            s3.download_file(file.location.bucket, file.location.key, str(target), Config=TRANSFER)
        except (ClientError, BotoCoreError) as error:
            raise TransferFailed(f"ClientError: Data download failed:{file.location.uri}: {error}") from error


def upload(s3: Any, path: Path, location: S3Location) -> None:
    try:
        s3.upload_file(str(path), location.bucket, location.key, Config=TRANSFER)
    except (ClientError, BotoCoreError, S3UploadFailedError, OSError) as error:
        raise TransferFailed(f"ClientError: Artifact upload failed:{location.uri}: {error}") from error


def files_below(directory: Path) -> list[Path]:
    """Regular files, sorted by their path; symbolic links are not followed, as in the service."""
    return sorted(path for path in directory.rglob("*") if path.is_file() and not path.is_symlink())


def upload_directory(s3: Any, directory: Path, destination: S3Location) -> None:
    for path in files_below(directory):
        upload(s3, path, destination.child(path.relative_to(directory).as_posix()))


def pack(directories: Sequence[Path], archive: Path) -> None:
    """A tar.gz of the directories' contents, laid over each other (the first wins): the same files, the same bytes."""
    members: dict[str, Path] = {}
    for directory in directories:
        for path in files_below(directory):
            members.setdefault(path.relative_to(directory).as_posix(), path)
    archive.parent.mkdir(parents=True, exist_ok=True)
    with (
        archive.open("wb") as raw,
        gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=EPOCH_SECONDS) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for name in sorted(members):
            entry = tar.gettarinfo(str(members[name]), arcname=name)
            entry.mtime, entry.uid, entry.gid, entry.uname, entry.gname = EPOCH_SECONDS, 0, 0, "", ""
            entry.mode = 0o644
            with members[name].open("rb") as content:
                tar.addfile(entry, content)


class FolderMirror:
    """Keeps a prefix in S3 equal to a local folder: changed files go up, and a file deleted here is deleted there."""

    def __init__(self, s3: Any, folder: Path, destination: S3Location) -> None:
        self._s3 = s3
        self._folder = folder
        self._destination = destination
        self._pushed: dict[str, Stamp] = {}

    def restore(self) -> None:
        """Bring down what an earlier run left."""
        directory = S3Location(self._destination.bucket, f"{self._destination.key.rstrip('/')}/")
        try:
            files = list_prefix(self._s3, directory)
        except (ClientError, BotoCoreError) as error:
            raise TransferFailed(f"ClientError: Data download failed:{directory.uri}: {error}") from error
        download(self._s3, files, self._folder)
        self._pushed = self._present()

    def push(self) -> None:
        """Send what changed since the last time. A file that is being written right now waits for the next time."""
        present = self._present()
        for name in self._pushed.keys() - present.keys():
            self._delete(self._destination.child(name))
            del self._pushed[name]
        for name, stamp in present.items():
            if self._pushed.get(name) != stamp and self._send(name, stamp):
                self._pushed[name] = stamp

    def _send(self, name: str, stamp: Stamp) -> bool:
        """Upload a copy, so that the writer cannot change the bytes on their way; False when it did before."""
        path = self._folder / name
        with tempfile.TemporaryDirectory() as scratch:
            copy = Path(scratch) / "copy"
            try:
                shutil.copyfile(path, copy)
            except FileNotFoundError:
                return False
            if _stamp(path) != stamp:
                return False
            upload(self._s3, copy, self._destination.child(name))
        return True

    def _delete(self, location: S3Location) -> None:
        try:
            self._s3.delete_object(Bucket=location.bucket, Key=location.key)
        except (ClientError, BotoCoreError) as error:
            raise TransferFailed(f"ClientError: Checkpoint sync failed:{location.uri}: {error}") from error

    def _present(self) -> dict[str, Stamp]:
        """Name → stamp of each file now in the folder."""
        stamps = {path.relative_to(self._folder).as_posix(): _stamp(path) for path in files_below(self._folder)}
        return {name: stamp for name, stamp in stamps.items() if stamp is not None}


def _stamp(path: Path) -> Stamp | None:
    """Modification time in ns and size in bytes; None for a file that its writer has just renamed or deleted."""
    try:
        facts = path.stat()
    except FileNotFoundError:
        return None
    return facts.st_mtime_ns, facts.st_size
