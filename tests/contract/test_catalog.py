"""Every DatasetCatalog: datasets, uploads, versions and contracts move only as the rules allow."""

from __future__ import annotations

import pytest

from millrace.domain.dataset import Dataset, DatasetVersion, Upload, UploadState, VersionState
from millrace.errors import Conflict, ContractMoved, NotFound
from millrace.ports import ContentClaim, DatasetCatalog
from tests.builders import CSV, NOON, a_column, a_contract, an_upload, later, prepared, settings
from tests.contract.concurrency import all_at_once


def opened(catalog: DatasetCatalog, upload: Upload) -> Upload:
    catalog.ensure(upload.dataset, at=NOON, actor="upload")
    return catalog.open_upload(upload.model_copy(update={"sha256": None, "dialect": None}))


def claim(catalog: DatasetCatalog, upload: Upload) -> ContentClaim:
    return catalog.claim_content(
        upload,
        location_prefix=f"s3://data/datasets/{upload.dataset}",
        quarantine_prefix=f"s3://data/quarantine/{upload.dataset}",
        at=later(1),
    )


def reserved(catalog: DatasetCatalog, upload: Upload) -> DatasetVersion:
    opened(catalog, upload)
    return catalog.version(upload.dataset, claim(catalog, upload).version)


def accepted(catalog: DatasetCatalog, upload: Upload) -> DatasetVersion:
    version = reserved(catalog, upload)
    present = catalog.get(upload.dataset).contract_version
    catalog.accept_version(prepared(version, contract_version=present or 1), None if present else a_contract())
    return catalog.version(upload.dataset, version.version)


def test_a_new_dataset_has_default_settings_and_says_who_created_it(catalog: DatasetCatalog) -> None:
    created = catalog.ensure("credit", at=NOON, actor="ada")

    assert catalog.get("credit") == created == Dataset(name="credit", created_at=NOON, created_by="ada")


def test_ensuring_a_dataset_again_changes_nothing(catalog: DatasetCatalog) -> None:
    catalog.ensure("credit", at=NOON, actor="ada")
    catalog.configure("credit", settings(target="status"), revision=1, actor="ada")

    again = catalog.ensure("credit", at=later(5), actor="bob")

    assert again == catalog.get("credit")
    assert (again.created_by, again.settings.target) == ("ada", "status")


def test_datasets_are_listed_by_name(catalog: DatasetCatalog) -> None:
    for name in ("flights", "credit", "penguins"):
        catalog.ensure(name, at=NOON, actor="ada")

    assert [dataset.name for dataset in catalog.list()] == ["credit", "flights", "penguins"]


def test_a_dataset_that_was_never_created_is_not_found(catalog: DatasetCatalog) -> None:
    with pytest.raises(NotFound, match="credit"):
        catalog.get("credit")


def test_settings_are_replaced_and_the_revision_counts_it(catalog: DatasetCatalog) -> None:
    catalog.ensure("credit", at=NOON, actor="ada")

    changed = catalog.configure("credit", settings(target="status"), revision=1, actor="ada")

    assert catalog.get("credit") == changed
    assert (changed.revision, changed.settings.target) == (2, "status")


def test_an_edit_of_an_old_revision_is_a_conflict_and_changes_nothing(catalog: DatasetCatalog) -> None:
    catalog.ensure("credit", at=NOON, actor="ada")
    catalog.configure("credit", settings(target="status"), revision=1, actor="ada")

    with pytest.raises(Conflict):
        catalog.configure("credit", settings(target="income"), revision=1, actor="ada")

    assert catalog.get("credit").settings.target == "status"


def test_an_arriving_upload_does_not_disturb_a_person_who_edits_the_settings(catalog: DatasetCatalog) -> None:
    seen = catalog.ensure("credit", at=NOON, actor="ada").revision
    accepted(catalog, an_upload())

    catalog.configure("credit", settings(target="status"), revision=seen, actor="ada")

    after = catalog.get("credit")
    assert (after.settings.target, after.latest_version, after.latest_ready_version) == ("status", 1, 1)


def test_one_of_many_edits_of_the_same_revision_wins(catalog: DatasetCatalog) -> None:
    catalog.ensure("credit", at=NOON, actor="ada")

    def edit(number: int) -> Dataset:
        return catalog.configure("credit", settings(target=f"column{number}"), revision=1, actor="ada")

    won, lost = all_at_once([lambda number=number: edit(number) for number in range(10)])

    assert len(won) == 1
    assert all(isinstance(error, Conflict) for error in lost)
    assert catalog.get("credit") == won[0]


def test_a_settings_file_is_accepted_in_the_moment_its_settings_apply(catalog: DatasetCatalog) -> None:
    upload = opened(catalog, an_upload("dataset.yaml"))

    catalog.configure("credit", settings(target="status"), revision=1, actor="ada", upload=upload)

    assert catalog.upload("credit", upload.upload_id).state == UploadState.ACCEPTED
    assert catalog.get("credit").settings.target == "status"


def test_a_settings_file_applies_once(catalog: DatasetCatalog) -> None:
    upload = opened(catalog, an_upload("dataset.yaml"))
    catalog.configure("credit", settings(target="status"), revision=1, actor="ada", upload=upload)

    with pytest.raises(Conflict):
        catalog.configure("credit", settings(target="income"), revision=2, actor="ada", upload=upload)

    assert catalog.get("credit").settings.target == "status"


def test_contracts_are_numbered_without_gaps(catalog: DatasetCatalog) -> None:
    catalog.ensure("credit", at=NOON, actor="ada")
    catalog.put_contract(a_contract(1))

    with pytest.raises(Conflict):
        catalog.put_contract(a_contract(3))
    with pytest.raises(Conflict):
        catalog.put_contract(a_contract(1))
    changed = catalog.put_contract(a_contract(2, columns=(a_column("age"),)))

    assert changed == catalog.get("credit")
    assert changed.contract_version == 2
    assert catalog.contract("credit", 1) == a_contract(1)
    assert catalog.contract("credit", 2).columns == (a_column("age"),)


def test_a_contract_that_was_never_stored_is_not_found(catalog: DatasetCatalog) -> None:
    catalog.ensure("credit", at=NOON, actor="ada")

    with pytest.raises(NotFound, match="contract 1"):
        catalog.contract("credit", 1)


def test_the_contract_of_a_thousand_columns_fits(catalog: DatasetCatalog) -> None:
    catalog.ensure("wide", at=NOON, actor="ada")
    wide = a_contract(dataset="wide", columns=tuple(a_column(f"column_{number}") for number in range(3000)))

    catalog.put_contract(wide)

    assert len(wide.model_dump_json()) > 400 * 1024
    assert catalog.contract("wide", 1) == wide


def test_an_upload_is_opened_once(catalog: DatasetCatalog) -> None:
    first = opened(catalog, an_upload())

    again = catalog.open_upload(first.model_copy(update={"size_bytes": 7}))

    assert again == first == catalog.upload("credit", first.upload_id)


def test_uploads_are_listed_latest_arrival_first(catalog: DatasetCatalog) -> None:
    for minute, name in enumerate(["a.csv", "b.csv", "c.csv"]):
        opened(catalog, an_upload(name, received_at=later(minute)))
    opened(catalog, an_upload("other.csv", dataset="other"))

    assert [upload.key for upload in catalog.uploads("credit")] == [
        "uploads/credit/c.csv",
        "uploads/credit/b.csv",
        "uploads/credit/a.csv",
    ]


def test_new_bytes_reserve_the_next_version(catalog: DatasetCatalog) -> None:
    upload = an_upload()
    opened(catalog, upload)

    assert claim(catalog, upload) == ContentClaim(1, new=True)

    version = catalog.version("credit", 1)
    assert version == DatasetVersion(
        dataset="credit",
        version=1,
        state=VersionState.PREPARING,
        upload_id=upload.upload_id,
        sha256=str(upload.sha256),
        location="s3://data/datasets/credit/v1/",
        quarantine_location="s3://data/quarantine/credit/v1/",
        dialect=CSV,
        run_id=upload.run_id,
        created_at=later(1),
    )
    stored = catalog.upload("credit", upload.upload_id)
    assert (stored.state, stored.version, stored.sha256) == (UploadState.PREPARING, 1, upload.sha256)
    assert catalog.get("credit").latest_version == 1
    assert catalog.get("credit").latest_ready_version == 0


def test_claiming_again_answers_the_same(catalog: DatasetCatalog) -> None:
    upload = an_upload()
    reserved(catalog, upload)

    assert claim(catalog, upload) == ContentClaim(1, new=True)
    assert [version.version for version in catalog.versions("credit")] == [1]


def test_the_same_bytes_under_another_key_are_identical_and_make_no_version(catalog: DatasetCatalog) -> None:
    accepted(catalog, an_upload("may.csv", sha256="same"))
    copy = an_upload("copy.csv", sha256="same")
    opened(catalog, copy)

    assert claim(catalog, copy) == ContentClaim(1, new=False)
    assert claim(catalog, copy) == ContentClaim(1, new=False)

    assert catalog.upload("credit", copy.upload_id).state == UploadState.IDENTICAL
    assert catalog.get("credit").latest_version == 1


def test_the_same_bytes_in_another_dataset_are_a_version_of_it(catalog: DatasetCatalog) -> None:
    reserved(catalog, an_upload(sha256="same"))
    elsewhere = an_upload(dataset="other", sha256="same")
    opened(catalog, elsewhere)

    assert claim(catalog, elsewhere) == ContentClaim(1, new=True)


def test_the_same_name_with_other_bytes_is_another_version(catalog: DatasetCatalog) -> None:
    reserved(catalog, an_upload("may.csv", object_version="1"))
    second = an_upload("may.csv", object_version="2")
    opened(catalog, second)

    assert claim(catalog, second) == ContentClaim(2, new=True)
    assert [version.version for version in catalog.versions("credit")] == [2, 1]


def test_bytes_of_an_upload_that_was_never_opened_cannot_be_claimed(catalog: DatasetCatalog) -> None:
    catalog.ensure("credit", at=NOON, actor="ada")

    with pytest.raises(NotFound):
        claim(catalog, an_upload())


def test_different_uploads_at_once_get_different_versions_without_gaps(catalog: DatasetCatalog) -> None:
    uploads = [an_upload(f"{number}.csv") for number in range(12)]
    for upload in uploads:
        opened(catalog, upload)

    claims, errors = all_at_once([lambda upload=upload: claim(catalog, upload) for upload in uploads])

    assert errors == []
    assert sorted(claim.version for claim in claims) == list(range(1, 13))
    assert all(claim.new for claim in claims)
    assert catalog.get("credit").latest_version == 12
    owners = {version.upload_id: version.version for version in catalog.versions("credit")}
    assert owners == {upload.upload_id: catalog.upload("credit", upload.upload_id).version for upload in uploads}


def test_the_same_bytes_at_once_make_one_version(catalog: DatasetCatalog) -> None:
    uploads = [an_upload(f"{number}.csv", sha256="same") for number in range(12)]
    for upload in uploads:
        opened(catalog, upload)

    claims, errors = all_at_once([lambda upload=upload: claim(catalog, upload) for upload in uploads])

    assert errors == []
    assert sorted(claims) == [ContentClaim(1, new=False)] * 11 + [ContentClaim(1, new=True)]
    states = sorted(upload.state for upload in catalog.uploads("credit"))
    assert states == [UploadState.IDENTICAL] * 11 + [UploadState.PREPARING]


def test_an_accepted_version_is_ready_with_its_contract_and_its_quality(catalog: DatasetCatalog) -> None:
    upload = an_upload()
    found = prepared(reserved(catalog, upload))

    catalog.accept_version(found, a_contract())

    assert catalog.version("credit", 1) == found.model_copy(update={"state": VersionState.READY})
    assert catalog.upload("credit", upload.upload_id).state == UploadState.ACCEPTED
    assert catalog.contract("credit", 1) == a_contract()
    dataset = catalog.get("credit")
    assert (dataset.contract_version, dataset.latest_ready_version) == (1, 1)


def test_accepting_again_changes_nothing(catalog: DatasetCatalog) -> None:
    found = prepared(reserved(catalog, an_upload()))
    catalog.accept_version(found, a_contract())
    before = catalog.get("credit")

    catalog.accept_version(found.model_copy(update={"contract_version": 7}), None)

    assert catalog.get("credit") == before
    assert catalog.version("credit", 1).contract_version == 1


def test_a_second_first_contract_is_refused_because_the_contract_moved(catalog: DatasetCatalog) -> None:
    one, two = reserved(catalog, an_upload("a.csv")), reserved(catalog, an_upload("b.csv"))
    catalog.accept_version(prepared(one), a_contract())

    with pytest.raises(ContractMoved, match="contract 1"):
        catalog.accept_version(prepared(two), a_contract())

    assert catalog.version("credit", 2).state == VersionState.PREPARING
    assert catalog.get("credit").latest_ready_version == 1


def test_a_version_prepared_against_an_edited_contract_is_refused_because_the_contract_moved(
    catalog: DatasetCatalog,
) -> None:
    accepted(catalog, an_upload("a.csv"))
    late = prepared(reserved(catalog, an_upload("b.csv")), contract_version=1)
    catalog.put_contract(a_contract(2))

    with pytest.raises(ContractMoved):
        catalog.accept_version(late, None)
    catalog.accept_version(late.model_copy(update={"contract_version": 2}), None)

    assert catalog.version("credit", 2).state == VersionState.READY


def test_of_many_first_versions_at_once_one_settles_the_contract(catalog: DatasetCatalog) -> None:
    versions = [reserved(catalog, an_upload(f"{number}.csv")) for number in range(8)]

    done, moved = all_at_once(
        [lambda version=version: catalog.accept_version(prepared(version), a_contract()) for version in versions]
    )

    assert len(done) == 1
    assert all(isinstance(error, ContractMoved) for error in moved)
    assert [version.state for version in catalog.versions("credit")].count(VersionState.READY) == 1


def test_the_newest_ready_version_stays_the_newest_when_an_older_one_becomes_ready_later(
    catalog: DatasetCatalog,
) -> None:
    one, two, three = (reserved(catalog, an_upload(name)) for name in ("a.csv", "b.csv", "c.csv"))
    catalog.accept_version(prepared(one), a_contract())
    catalog.accept_version(prepared(three), None)

    catalog.accept_version(prepared(two), None)

    assert catalog.get("credit").latest_ready_version == 3


def test_a_rejected_upload_takes_its_version_along_and_says_why(catalog: DatasetCatalog) -> None:
    upload = an_upload()
    reserved(catalog, upload)

    catalog.reject_upload(upload, ["no header", "too many bad rows"])

    stored = catalog.upload("credit", upload.upload_id)
    assert (stored.state, stored.reasons) == (UploadState.REJECTED, ("no header", "too many bad rows"))
    version = catalog.version("credit", 1)
    assert (version.state, version.reasons) == (VersionState.REJECTED, ("no header", "too many bad rows"))


def test_rejected_bytes_may_come_again_and_get_a_new_version(catalog: DatasetCatalog) -> None:
    rejected = an_upload("may.csv", sha256="same")
    reserved(catalog, rejected)
    catalog.reject_upload(rejected, ["the job crashed"])
    again = an_upload("again.csv", sha256="same")
    opened(catalog, again)

    assert claim(catalog, again) == ContentClaim(2, new=True)


def test_an_upload_can_be_rejected_before_its_bytes_were_claimed(catalog: DatasetCatalog) -> None:
    upload = opened(catalog, an_upload())

    catalog.reject_upload(upload, ["not a table"])

    assert catalog.upload("credit", upload.upload_id).state == UploadState.REJECTED
    assert list(catalog.versions("credit")) == []


def test_rejecting_again_keeps_the_first_reasons(catalog: DatasetCatalog) -> None:
    upload = an_upload()
    reserved(catalog, upload)
    catalog.reject_upload(upload, ["first"])

    catalog.reject_upload(upload, ["second"])

    assert catalog.upload("credit", upload.upload_id).reasons == ("first",)
    assert catalog.version("credit", 1).reasons == ("first",)


def test_rejecting_again_does_not_release_the_claim_of_whoever_brought_the_bytes_since(
    catalog: DatasetCatalog,
) -> None:
    first, second = an_upload("a.csv", sha256="same"), an_upload("b.csv", sha256="same")
    reserved(catalog, first)
    catalog.reject_upload(first, ["crashed"])
    reserved(catalog, second)

    catalog.reject_upload(first, ["crashed"])

    third = an_upload("c.csv", sha256="same")
    opened(catalog, third)
    assert claim(catalog, third) == ContentClaim(2, new=False)


def test_a_rejected_upload_cannot_claim_anything(catalog: DatasetCatalog) -> None:
    upload = an_upload()
    opened(catalog, upload)
    catalog.reject_upload(upload, ["stopped"])

    with pytest.raises(Conflict):
        claim(catalog, upload)

    assert catalog.get("credit").latest_version == 0


def test_a_rejected_version_cannot_be_accepted(catalog: DatasetCatalog) -> None:
    upload = an_upload()
    version = reserved(catalog, upload)
    catalog.reject_upload(upload, ["stopped"])

    with pytest.raises(Conflict):
        catalog.accept_version(prepared(version), a_contract())

    assert catalog.version("credit", 1).state == VersionState.REJECTED


def test_an_accepted_upload_cannot_be_rejected(catalog: DatasetCatalog) -> None:
    upload = an_upload()
    accepted(catalog, upload)

    with pytest.raises(Conflict):
        catalog.reject_upload(upload, ["too late"])

    assert catalog.version("credit", 1).state == VersionState.READY


def test_an_unknown_upload_cannot_be_rejected(catalog: DatasetCatalog) -> None:
    with pytest.raises(NotFound):
        catalog.reject_upload(an_upload(), ["nobody knows it"])


def test_accepting_and_rejecting_at_once_ends_in_one_of_the_two(catalog: DatasetCatalog) -> None:
    upload = an_upload()
    found = prepared(reserved(catalog, upload))

    _, errors = all_at_once(
        [lambda: catalog.accept_version(found, a_contract()), lambda: catalog.reject_upload(upload, ["stopped"])]
    )

    assert [type(error) for error in errors] == [Conflict]
    ends = (catalog.upload("credit", upload.upload_id).state, catalog.version("credit", 1).state)
    assert ends in {
        (UploadState.ACCEPTED, VersionState.READY),
        (UploadState.REJECTED, VersionState.REJECTED),
    }
