"""Files in parts, from the first address to the run that their object starts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millrace.domain import identity, place
from millrace.domain.transfer import MAX_BYTES, Transfer, TransferState, part_bytes_for, part_sizes
from millrace.errors import Conflict, InvalidInput, NotFound
from millrace.use_cases.transfer_file import Progress, abort_transfer, complete_transfer, resume_transfer
from tests.builders import DATA_BUCKET, NOON
from tests.unit.use_cases.world import World

MIB = 1024**2


@pytest.fixture(autouse=True)
def credit(world: World) -> None:
    world.catalog.ensure("credit", at=NOON, actor="ada")


def resume(world: World, progress: Progress) -> Progress:
    return resume_transfer(
        transfers=world.transfers,
        multipart=world.multipart,
        dataset="credit",
        transfer_id=progress.transfer.transfer_id,
    )


def complete(world: World, progress: Progress) -> tuple[Transfer, str]:
    return complete_transfer(
        transfers=world.transfers,
        multipart=world.multipart,
        store=world.store,
        dataset="credit",
        transfer_id=progress.transfer.transfer_id,
        actor="bob",
    )


def abort(world: World, progress: Progress) -> Transfer:
    return abort_transfer(
        transfers=world.transfers,
        multipart=world.multipart,
        dataset="credit",
        transfer_id=progress.transfer.transfer_id,
        actor="bob",
    )


@given(st.integers(1, MAX_BYTES))
def test_parts_add_up_to_the_file_and_are_few_and_of_a_size_that_s3_takes(size: int) -> None:
    part_bytes = part_bytes_for(size)
    sizes = part_sizes(size, part_bytes)

    assert sum(sizes) == size
    assert 1 <= len(sizes) <= 100
    assert all(each == part_bytes for each in sizes[:-1])
    assert 0 < sizes[-1] <= part_bytes
    assert 5 * MIB <= part_bytes <= 5 * 1024 * MIB


def test_five_gigabytes_are_sent_in_a_hundred_parts_at_most(world: World) -> None:
    progress = world.sends(size=5 * 1024**3)

    assert len(progress.parts) == 99
    assert len({part.address for part in progress.parts}) == 99
    assert sum(part.size_bytes for part in progress.parts) == 5 * 1024**3


def test_a_completed_file_lies_where_its_arrival_starts_a_run(world: World) -> None:
    progress = world.sends("may.csv", 3)
    world.part_arrives(progress, 1, b"a,b")

    transfer, run_id = complete(world, progress)

    address = place.uri(DATA_BUCKET, "uploads/credit/may.csv")
    assert world.store.read(address) == b"a,b"
    assert run_id == identity.ingest_run_id(DATA_BUCKET, transfer.key, world.store.head(address).version_id)
    assert transfer.state is world.transfers.get("credit", transfer.transfer_id).state is TransferState.COMPLETED


def test_after_a_break_only_what_is_missing_or_cut_short_is_sent_again(world: World) -> None:
    progress = world.sends(size=40 * MIB)
    world.part_arrives(progress, 1, b"x" * 16 * MIB)
    world.part_arrives(progress, 2, b"cut short")

    parts = resume(world, progress).parts

    assert [part.number for part in parts if part.address is not None] == [2, 3]


def test_a_file_with_missing_parts_cannot_be_completed(world: World) -> None:
    progress = world.sends(size=40 * MIB)
    world.part_arrives(progress, 1, b"x" * 16 * MIB)
    world.part_arrives(progress, 2, b"cut short")

    with pytest.raises(Conflict, match=r"parts 2, 3 of transfer .* are missing or incomplete"):
        complete(world, progress)

    assert resume(world, progress).transfer.state is TransferState.OPEN


def test_a_completion_that_broke_half_way_is_repeated(world: World) -> None:
    progress = world.sends("may.csv", 3)
    world.part_arrives(progress, 1, b"a,b")
    address = place.uri(DATA_BUCKET, "uploads/credit/may.csv")
    world.multipart.complete(address, progress.transfer.multipart_id)

    transfer, _ = complete(world, progress)

    assert transfer.state is TransferState.COMPLETED


@pytest.mark.parametrize("lying_there", [None, b"another file"])
def test_parts_that_the_bucket_tidied_away_have_to_be_sent_anew(world: World, lying_there: bytes | None) -> None:
    progress = world.sends("may.csv", 3)
    address = place.uri(DATA_BUCKET, "uploads/credit/may.csv")
    world.multipart.abort(address, progress.transfer.multipart_id)
    if lying_there is not None:
        world.store.write(address, lying_there)

    with pytest.raises(Conflict, match="start again"):
        complete(world, progress)


def test_an_aborted_file_is_gone_and_stays_so(world: World) -> None:
    progress = world.sends("may.csv", 3)
    world.part_arrives(progress, 1, b"a,b")

    assert abort(world, progress).state is TransferState.ABORTED

    with pytest.raises(NotFound):
        world.multipart.parts(place.uri(DATA_BUCKET, progress.transfer.key), progress.transfer.multipart_id)
    for settle in (complete, abort):
        with pytest.raises(Conflict, match="is ABORTED already"):
            settle(world, progress)
    assert [part.address for part in resume(world, progress).parts] == [None]


def test_a_completed_file_is_not_completed_twice(world: World) -> None:
    progress = world.sends("may.csv", 3)
    world.part_arrives(progress, 1, b"a,b")
    complete(world, progress)

    with pytest.raises(Conflict, match="is COMPLETED already"):
        complete(world, progress)


@pytest.mark.parametrize("name", ["", "a/b.csv", "..", ".", "a\\b", "a\nb", "x" * 201])
def test_a_name_that_would_leave_the_datasets_folder_is_refused(world: World, name: str) -> None:
    with pytest.raises(InvalidInput, match="cannot be a file's name"):
        world.sends(name)


@pytest.mark.parametrize("size", [0, -1, MAX_BYTES + 1])
def test_no_bytes_and_too_many_are_refused(world: World, size: int) -> None:
    with pytest.raises(InvalidInput, match="a file has 1 to"):
        world.sends(size=size)


def test_a_file_of_a_dataset_that_is_not_there_is_refused(world: World) -> None:
    with pytest.raises(NotFound):
        world.sends(dataset="nobodys")


def test_a_transfer_belongs_to_its_dataset(world: World) -> None:
    progress = world.sends()
    world.catalog.ensure("churn", at=NOON, actor="ada")

    with pytest.raises(NotFound):
        world.transfers.get("churn", progress.transfer.transfer_id)
