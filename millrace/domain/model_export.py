"""What one environment says of a model version so that another may take it over: a document that its address seals."""

from __future__ import annotations

import hashlib
import re

from pydantic import ValidationError

from millrace.domain import place
from millrace.domain.dataset import Contract
from millrace.domain.entity import Entity
from millrace.domain.model import ModelVersion
from millrace.errors import InvalidInput

_ADDRESS = re.compile(r"export-([0-9a-f]{64})\.json")
ARTIFACT, EVALUATION, BASELINE = "model.tar.gz", "evaluation.json", "baseline.json"
SERVING, GOLDEN, GRAPH, ARCHIVE = (
    f"serving/{file}" for file in (place.SERVING_FILE, place.GOLDEN_FILE, place.GRAPH_FILE, place.ARCHIVE_FILE)
)
NEEDED, POSSIBLE = {ARTIFACT, EVALUATION, SERVING, GOLDEN}, {BASELINE, GRAPH, ARCHIVE}


class ModelExport(Entity):
    """`files` are digests (SHA-256) by the path below the version's folder. `contract` is what its rows must be like.

    There is no time in it: what is exported again unchanged is the same document.
    """

    environment: str
    version: ModelVersion
    contract: Contract
    files: dict[str, str]


def sealed(exported: ModelExport) -> tuple[str, bytes]:
    """The document's name beside the version, and its bytes."""
    body = exported.model_dump_json(indent=1).encode()
    return f"export-{hashlib.sha256(body).hexdigest()}.json", body


def opened(address: str, body: bytes) -> ModelExport:
    """Raises InvalidInput unless `body` is what `address` names, and lies where the version does that it is about."""
    named = _ADDRESS.fullmatch(address.rpartition("/")[2])
    if named is None:
        raise InvalidInput(f"{address} is no export: name what `millrace export-version` printed")
    if hashlib.sha256(body).hexdigest() != named[1]:
        raise InvalidInput(f"what lies at {address} was changed: it is not what its name seals")
    try:
        exported = ModelExport.model_validate_json(body)
    except ValidationError as error:
        raise InvalidInput(f"what lies at {address} is no export: {error.errors()[0]['msg']}") from error
    version, bucket = exported.version, place.split_uri(address)[0]
    if not NEEDED <= exported.files.keys() <= NEEDED | POSSIBLE:
        raise InvalidInput(f"{address} names other files than a version has: {', '.join(sorted(exported.files))}")
    if address != place.model_uri(bucket, version.model, version.number, named[0]):
        raise InvalidInput(f"{address} is about {version.id}, whose folder is another")
    return exported
