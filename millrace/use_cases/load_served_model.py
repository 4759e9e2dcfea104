"""Load the models that serve: the champion's graph and a challenger's, kept as long as the function lives."""

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
from millrace.domain.rollout import Rollout
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


@dataclass(frozen=True)
class Route:
    """Who answers for a model now: the champion, and a challenger while one is rolled out."""

    champion: int
    rollout: Rollout | None


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
        self._routes: dict[str, tuple[float, Route]] = {}
        self._loaded: OrderedDict[tuple[str, int], ServedModel] = OrderedDict()

    def champion(self, model: str) -> ServedModel:
        """Raises NotFound for a model that is not registered, NotDeployed when no version of it can answer."""
        return self.version(model, self.route(model).champion)

    def version(self, model: str, number: int) -> ServedModel:
        """Raises NotDeployed when the version cannot answer, EvaluationInvalid when its graph is another one."""
        key = (model, number)
        served = self._loaded.get(key) or self._load(*key)
        self._loaded[key] = served
        self._loaded.move_to_end(key)
        while len(self._loaded) > KEPT_GRAPHS:
            self._loaded.popitem(last=False)
        return served

    def route(self, model: str) -> Route:
        """At most `ALIAS_SECONDS` old. Raises NotFound, NotDeployed."""
        now = self._monotonic()
        known = self._routes.get(model)
        if known is not None and now - known[0] < ALIAS_SECONDS:
            return known[1]
        registered = self._registry.model(model)
        champion = registered.aliases.get(CHAMPION)
        if champion is None:
            raise NotDeployed(f"{model} has no champion yet: approve one of its versions")
        route = Route(champion, registered.rollout)
        self._routes[model] = (now, route)
        return route

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
