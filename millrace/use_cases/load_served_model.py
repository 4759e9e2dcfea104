"""Load the models that serve: the champion's graph and a challenger's, kept as long as the function lives."""

from __future__ import annotations

import hashlib
import json
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from millrace.analytics.onnx_graph import OnnxGraph
from millrace.analytics.serving import Prediction, ReadRows, Signature, predictions_of
from millrace.domain import place
from millrace.domain.model import CHAMPION
from millrace.domain.rollout import Rollout
from millrace.errors import EvaluationInvalid, NotDeployed, NotFound
from millrace.ports import ModelRegistry, ObjectStore
from millrace.use_cases.deploy_endpoint import asked, told

# A rollback reaches every function within this time.
ALIAS_SECONDS = 2.0
# Champions of this many models stay in memory; a graph has up to some tens of megabytes.
KEPT_GRAPHS = 4
# A version that was deployed again, to be served otherwise, is by then.
ARTEFACT_SECONDS = 10.0


@dataclass(frozen=True)
class ServedModel:
    """`answer` makes predictions of rows that were read, and of the rows as they came."""

    model: str
    number: int
    signature: Signature
    answer: Callable[[ReadRows, Sequence[Mapping[str, Any]]], Sequence[Prediction]]
    graph: OnnxGraph | None = None

    @property
    def version_id(self) -> str:
        return f"{self.model}:{self.number}"


@dataclass(frozen=True)
class Loaded:
    """`artefact` is the object version of the serving.json that it was loaded by; `looked_at` is on the clock."""

    served: ServedModel
    artefact: str
    looked_at: float


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
        invoke: Callable[[str, bytes], bytes] | None = None,
    ) -> None:
        """`invoke` asks a SageMaker endpoint by its name."""
        self._registry = registry
        self._store = store
        self._bucket = artifacts_bucket
        self._monotonic = monotonic
        self._invoke = invoke
        self._routes: dict[str, tuple[float, Route]] = {}
        self._loaded: OrderedDict[tuple[str, int], Loaded] = OrderedDict()

    def champion(self, model: str) -> ServedModel:
        """Raises NotFound for a model that is not registered, NotDeployed when no version of it can answer."""
        return self.version(model, self.route(model).champion)

    def version(self, model: str, number: int) -> ServedModel:
        """Raises NotDeployed when the version cannot answer, EvaluationInvalid when its graph is another one."""
        key = (model, number)
        loaded = self._loaded[key] = self._present(key)
        self._loaded.move_to_end(key)
        while len(self._loaded) > KEPT_GRAPHS:
            self._loaded.popitem(last=False)
        return loaded.served

    def _present(self, key: tuple[str, int]) -> Loaded:
        """What is in memory, unless the version was deployed again since it was loaded."""
        now, known = self._monotonic(), self._loaded.get(key)
        if known is not None and now - known.looked_at < ARTEFACT_SECONDS:
            return known
        artefact = self._artefact(*key)
        if known is not None and known.artefact == artefact:
            return replace(known, looked_at=now)
        return Loaded(self._load(*key), artefact, now)

    def _artefact(self, model: str, number: int) -> str:
        try:
            return self._store.head(place.serving_uri(self._bucket, model, number, "serving.json")).version_id
        except NotFound as error:
            raise NotDeployed(f"{model}:{number} has no serving artefact: deploy it again") from error

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
        signature = Signature.of(document)
        if document["served_by"] != "lambda":
            return ServedModel(model, number, signature, self._endpoint(model, number, document, signature))
        content = self._read(model, number, "model.onnx")
        if hashlib.sha256(content).hexdigest() != document["files"]["model.onnx"]:
            raise EvaluationInvalid(f"the graph of {model}:{number} is not the one that was checked")
        graph = OnnxGraph(content, signature)
        return ServedModel(
            model, number, signature, lambda read, _rows: predictions_of(graph.scores(read).tolist(), signature), graph
        )

    def _endpoint(
        self, model: str, number: int, document: Mapping[str, Any], signature: Signature
    ) -> Callable[[ReadRows, Sequence[Mapping[str, Any]]], Sequence[Prediction]]:
        invoke, name = self._invoke, document.get("endpoint")
        if invoke is None or name is None:
            raise NotDeployed(f"{model}:{number} needs a SageMaker endpoint, and has none: deploy it again")
        inputs = [each.name for each in signature.inputs]

        def answer(_read: ReadRows, rows: Sequence[Mapping[str, Any]]) -> Sequence[Prediction]:
            sent = [{column: row[column] for column in inputs} for row in rows]
            found = told(invoke(name, asked(sent)), len(rows))
            return [Prediction(each["prediction"], dict(each["probabilities"] or {})) for each in found]

        return answer

    def _read(self, model: str, number: int, file: str) -> bytes:
        try:
            return self._store.read(place.serving_uri(self._bucket, model, number, file))
        except NotFound as error:
            raise NotDeployed(f"{model}:{number} has no serving artefact: deploy it again") from error
