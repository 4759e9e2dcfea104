"""Reject an upload: it and its version become REJECTED with the reason, and its bytes may come again."""

from __future__ import annotations

from millrace.domain import identity
from millrace.domain.dataset import Upload, UploadState
from millrace.errors import NotFound
from millrace.ports import DatasetCatalog

_OPEN = (UploadState.RECEIVED, UploadState.PREPARING)


def reject_upload(
    *, catalog: DatasetCatalog, dataset: str, bucket: str, key: str, object_version: str, reason: str
) -> Upload | None:
    """The upload as it is now. One that is settled stays as it is; None when it was never registered: its key named no
    dataset.
    """
    upload_id = identity.upload_id(bucket, key, object_version)
    try:
        upload = catalog.upload(dataset, upload_id)
    except NotFound:
        return None
    if upload.state in _OPEN:
        catalog.reject_upload(upload, [reason])
    return catalog.upload(dataset, upload_id)
