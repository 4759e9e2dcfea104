"""Transfer a file: its parts go straight to the bucket, by addresses that are good for a while."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from millrace import names
from millrace.domain import identity, place
from millrace.domain.transfer import MAX_BYTES, Transfer, TransferState, part_bytes_for, part_sizes
from millrace.errors import Conflict, InvalidInput, NotFound
from millrace.ports import Clock, DatasetCatalog, MultipartUploads, ObjectStore, Transfers

ADDRESS_SECONDS = 3600
_FILE_NAME = re.compile(r"[^/\\\x00-\x1f\x7f]{1,200}")


class Part(NamedTuple):
    """`address` is where to PUT its bytes; None once they are there, or the transfer is settled."""

    number: int
    size_bytes: int
    address: str | None


class Progress(NamedTuple):
    transfer: Transfer
    parts: Sequence[Part]


def start_transfer(
    *,
    catalog: DatasetCatalog,
    transfers: Transfers,
    multipart: MultipartUploads,
    clock: Clock,
    bucket: str,
    dataset: str,
    file_name: str,
    size_bytes: int,
    actor: str,
    folder: str | None = None,
) -> Progress:
    """The transfer of a file of `size_bytes`, with an address for each of its parts. `folder` is where it will lie.

    Raises NotFound without the dataset, InvalidInput for a name that cannot be a file's, and for a size of none or too
    many bytes.
    """
    catalog.get(dataset)
    if not _FILE_NAME.fullmatch(file_name) or file_name in (".", ".."):
        raise InvalidInput(f"{file_name!r} cannot be a file's name here: use at most 200 characters and no slash")
    if not 1 <= size_bytes <= MAX_BYTES:
        raise InvalidInput(f"a file has 1 to {MAX_BYTES} bytes, not {size_bytes}")
    key = f"{folder or f'{names.UPLOADS_PREFIX}{dataset}/'}{file_name}"
    multipart_id = multipart.begin(place.uri(bucket, key))
    transfer = Transfer(
        transfer_id=identity.transfer_id(bucket, key, multipart_id),
        dataset=dataset,
        bucket=bucket,
        key=key,
        size_bytes=size_bytes,
        part_bytes=part_bytes_for(size_bytes),
        multipart_id=multipart_id,
        actor=actor,
        started_at=clock.now(),
    )
    return _progress(multipart, transfers.open(transfer))


def resume_transfer(*, transfers: Transfers, multipart: MultipartUploads, dataset: str, transfer_id: str) -> Progress:
    """How far a transfer is, with new addresses for the parts that are missing. Raises NotFound."""
    return _progress(multipart, transfers.get(dataset, transfer_id))


def complete_transfer(
    *,
    transfers: Transfers,
    multipart: MultipartUploads,
    store: ObjectStore,
    dataset: str,
    transfer_id: str,
    actor: str,
) -> tuple[Transfer, str]:
    """The completed transfer, and the id of the run that its file starts.

    Repeating it after a failure half way goes on from there. Raises NotFound, and Conflict while parts are missing,
    and for a transfer that is settled.
    """
    transfer = transfers.get(dataset, transfer_id)
    if not transfer.key.startswith(names.UPLOADS_PREFIX):
        raise Conflict(f"transfer {transfer_id} brings the input of a batch inference: start that one with it")
    version = _arrive(multipart, store, transfer)
    settled = transfers.settle(dataset, transfer_id, TransferState.COMPLETED, actor=actor)
    return settled, identity.ingest_run_id(transfer.bucket, transfer.key, version)


def batch_input_folder(model: str) -> str:
    """Where the input of a batch inference is sent to: not where a dropped file starts one by itself."""
    return f"{names.INFERENCE_PREFIX}{model}/uploads/"


def complete_batch_input(
    *,
    transfers: Transfers,
    multipart: MultipartUploads,
    store: ObjectStore,
    model: str,
    transfer_id: str,
    actor: str,
) -> str:
    """The address of the object that the parts became. Raises NotFound, and Conflict as `complete_transfer` does."""
    transfer = transfers.get(model, transfer_id)
    if not transfer.key.startswith(batch_input_folder(model)):
        raise NotFound(f"transfer {transfer_id} is not of an input for {model}")
    _arrive(multipart, store, transfer)
    transfers.settle(model, transfer_id, TransferState.COMPLETED, actor=actor)
    return place.uri(transfer.bucket, transfer.key)


def abort_transfer(
    *, transfers: Transfers, multipart: MultipartUploads, dataset: str, transfer_id: str, actor: str
) -> Transfer:
    """Forget a transfer and what was sent of it. Raises NotFound, and Conflict for one that is settled."""
    transfer = transfers.settle(dataset, transfer_id, TransferState.ABORTED, actor=actor)
    multipart.abort(place.uri(transfer.bucket, transfer.key), transfer.multipart_id)
    return transfer


def _progress(multipart: MultipartUploads, transfer: Transfer) -> Progress:
    sizes = dict(enumerate(part_sizes(transfer.size_bytes, transfer.part_bytes), start=1))
    if transfer.state is not TransferState.OPEN:
        return Progress(transfer, [Part(number, size, None) for number, size in sizes.items()])
    address = place.uri(transfer.bucket, transfer.key)
    there = _arrived(multipart, transfer, address)
    parts = [
        Part(
            number,
            size,
            None
            if there.get(number) == size
            else multipart.part_address(address, transfer.multipart_id, number, seconds=ADDRESS_SECONDS),
        )
        for number, size in sizes.items()
    ]
    return Progress(transfer, parts)


def _arrived(multipart: MultipartUploads, transfer: Transfer, address: str) -> dict[int, int]:
    """Size by number of the parts that are there. Raises NotFound when the bucket has tidied the parts away."""
    return {part.number: part.size_bytes for part in multipart.parts(address, transfer.multipart_id)}


def _arrive(multipart: MultipartUploads, store: ObjectStore, transfer: Transfer) -> str:
    """The version of the object that the parts become, or became when this was begun before."""
    if transfer.state is not TransferState.OPEN:
        raise Conflict(f"transfer {transfer.transfer_id} is {transfer.state} already")
    address = place.uri(transfer.bucket, transfer.key)
    try:
        _complete(multipart, transfer, address)
    except NotFound:
        _check_arrived(store, transfer, address)
    return store.head(address).version_id


def _complete(multipart: MultipartUploads, transfer: Transfer, address: str) -> None:
    there = _arrived(multipart, transfer, address)
    sizes = enumerate(part_sizes(transfer.size_bytes, transfer.part_bytes), start=1)
    missing = [str(number) for number, size in sizes if there.get(number) != size]
    if missing:
        raise Conflict(f"parts {', '.join(missing)} of transfer {transfer.transfer_id} are missing or incomplete")
    multipart.complete(address, transfer.multipart_id)


def _check_arrived(store: ObjectStore, transfer: Transfer, address: str) -> None:
    """The parts are gone: either they became the object before, or the bucket tidied them away."""
    try:
        arrived = store.head(address).size_bytes == transfer.size_bytes
    except NotFound:
        arrived = False
    if not arrived:
        raise Conflict(f"the parts of transfer {transfer.transfer_id} are gone: start again")
