"""Deploy an endpoint: the archive of a model version behind SageMaker, checked by what it answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from millrace.analytics import container_archive
from millrace.analytics.serving import Signature, class_name
from millrace.domain import identity, place
from millrace.domain.endpoint_use import EndpointUse
from millrace.domain.place import ARCHIVE_FILE, GOLDEN_FILE, SERVING_FILE
from millrace.domain.rollout import ServedBy
from millrace.errors import EndpointFailed, EvaluationInvalid, ServingRefused
from millrace.ports import Clock, Endpoints, EndpointSpec, EndpointUses, ModelRegistry, ObjectStore

# The same pipeline in the same image: what differs is the processor's last digit.
TOLERANCE = 1e-9


def deploy_endpoint(
    *,
    registry: ModelRegistry,
    store: ObjectStore,
    endpoints: Endpoints,
    uses: EndpointUses,
    clock: Clock,
    artifacts_bucket: str,
    model: str,
    number: int,
    prefix: str,
    role_arn: str,
    image: str,
    machine: str,
    most_machines: int,
) -> bool:
    """True once the endpoint is in service, answers the golden rows as trained, and serving.json names it.

    A realtime endpoint is of `machine`, one at first and `most_machines` where it may grow.

    Raises EndpointFailed with the service's reason, ServingRefused when an answer differs.
    """
    version = registry.get(model, number)
    name = identity.endpoint_name(prefix, model, number)
    spec = EndpointSpec(
        name=name,
        kind=_document(store, artifacts_bucket, model, number)["endpoint_kind"],
        image=image,
        role_arn=role_arn,
        archive_uri=place.serving_uri(artifacts_bucket, model, number, ARCHIVE_FILE),
        environment={**container_archive.ENVIRONMENT, "ARTIFACT_DIGEST": version.artifact_digest},
    )
    by_the_hour = spec.kind == ServedBy.REALTIME
    use = EndpointUse(
        model=model,
        number=number,
        machine=machine if by_the_hour else None,
        most_machines=most_machines if by_the_hour else 1,
        region=endpoints.region,
        since=clock.now(),
    )
    # Counted before it is made: an attempt that is cut off leaves none uncounted. RetireEndpoints ends what never came.
    if uses.find(model, number) is None:
        endpoints.check_kind(spec)
        uses.begin(use)
    ready = endpoints.deploy(spec)
    # Now it is known to be of this kind: whatever was there under its name and billed otherwise has gone.
    uses.begin(use)
    if not ready:
        return False
    document = _document(store, artifacts_bucket, model, number)
    golden = json.loads(store.read(place.serving_uri(artifacts_bucket, model, number, GOLDEN_FILE)))
    worst = _worst_difference(endpoints.invoke(name, asked(golden["rows"])), golden["scores"], Signature.of(document))
    if not worst <= TOLERANCE:
        raise ServingRefused(f"the golden rows are answered otherwise than in training, by up to {worst:.3g}")
    checked = {
        **document,
        "endpoint": name,
        "check": {"golden_rows": len(golden["rows"]), "worst_difference": worst},
    }
    content = json.dumps(checked, indent=1, sort_keys=True, ensure_ascii=False).encode()
    store.write(place.serving_uri(artifacts_bucket, model, number, SERVING_FILE), content)
    return True


def asked(rows: Any) -> bytes:
    """Rows as `sagemaker_scripts/inference.py` takes them."""
    return json.dumps({"rows": rows}).encode()


def told(body: bytes, rows: int) -> list[Mapping[str, Any]]:
    """A prediction per row. Raises EndpointFailed for an answer of another form."""
    try:
        found: list[Mapping[str, Any]] = json.loads(body)["predictions"]
    except (ValueError, KeyError, TypeError) as error:
        raise EndpointFailed(f"the endpoint's answer holds no predictions: {error!r}") from error
    if len(found) != rows:
        raise EndpointFailed(f"{rows} rows were sent, {len(found)} predictions came back")
    return found


def _document(store: ObjectStore, bucket: str, model: str, number: int) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(store.read(place.serving_uri(bucket, model, number, SERVING_FILE)))
    if "endpoint_kind" not in document:
        raise EvaluationInvalid(f"{model}:{number} is not served by an endpoint")
    return document


def _worst_difference(body: bytes, scores: list[Any], signature: Signature) -> float:
    """Absolute up to 1, relative beyond, as for graphs."""
    worst = 0.0
    for found, wanted in zip(told(body, len(scores)), scores, strict=True):
        if signature.classes:
            values = [found["probabilities"][class_name(label)] for label in signature.classes]
        else:
            values, wanted = [found["prediction"]], [wanted]
        apart = [abs(a - b) / max(1.0, abs(b)) for a, b in zip(values, wanted, strict=True)]
        worst = max([worst, *apart])
    return worst
