"""Load the model that serves: the champion's graph, kept as long as the function lives."""

from __future__ import annotations

import hashlib
import json
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from millrace.analytics.onnx_graph import OnnxGraph
from millrace.analytics.serving import Signature
from millrace.domain import place
from millrace.domain.model import CHAMPION
from millrace.errors import EvaluationInvalid, NotDeployed, NotFound
from millrace.ports import ModelRegistry, ObjectStore

# A rollback reaches every function within this time.
ALIAS_SECONDS = 2.0
# Champions of this many models stay in memory; a graph has up to some tens of megabytes.
KEPT_GRAPHS = 4


@dataclass(frozen=True)
class ServedModel:
    model: str
    number: int
    signature: Signature
    graph: OnnxGraph

    @property
    def version_id(self) -> str:
        return f"{self.model}:{self.number}"


class ServedModels:
    """`monotonic` is a clock in seconds."""

    def __init__(
        self,
        registry: ModelRegistry,
        store: ObjectStore,
        artifacts_bucket: str,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._registry = registry
        self._store = store
        self._bucket = artifacts_bucket
        self._monotonic = monotonic
        self._champions: dict[str, tuple[float, int]] = {}
        self._loaded: OrderedDict[tuple[str, int], ServedModel] = OrderedDict()

    def champion(self, model: str) -> ServedModel:
        """Raises NotFound for a model that is not registered, NotDeployed when no version of it can answer."""
        key = (model, self._number(model))
        served = self._loaded.get(key) or self._load(*key)
        self._loaded[key] = served
        self._loaded.move_to_end(key)
        while len(self._loaded) > KEPT_GRAPHS:
            self._loaded.popitem(last=False)
        return served

    def _number(self, model: str) -> int:
        now = self._monotonic()
        looked_up, number = self._champions.get(model, (float("-inf"), 0))
        if now - looked_up < ALIAS_SECONDS:
            return number
        champion = self._registry.model(model).aliases.get(CHAMPION)
        if champion is None:
            raise NotDeployed(f"{model} has no champion yet: approve one of its versions")
        self._champions[model] = (now, champion)
        return champion

    def _load(self, model: str, number: int) -> ServedModel:
        document = json.loads(self._read(model, number, "serving.json"))
        if document["served_by"] != "lambda":
            raise NotDeployed(f"{model}:{number} needs a SageMaker endpoint: {document['refusal']}")
        content = self._read(model, number, "model.onnx")
        if hashlib.sha256(content).hexdigest() != document["files"]["model.onnx"]:
            raise EvaluationInvalid(f"the graph of {model}:{number} is not the one that was checked")
        signature = Signature.of(document)
        return ServedModel(model, number, signature, OnnxGraph(content, signature))

    def _read(self, model: str, number: int, file: str) -> bytes:
        try:
            return self._store.read(place.serving_uri(self._bucket, model, number, file))
        except NotFound as error:
            raise NotDeployed(f"{model}:{number} has no serving artefact: deploy it again") from error
