"""Registered models in the registry table: append-only events beside current state.

The model's `sequence` attribute numbers its events and guards everything that moves: each transaction writes event
n + 1 only while the model is at n, so the history has no gaps and no two changes can both win.

A model with versions to decide on, and one with a champion, has a mark for it: an item that lists it among those alone,
so that finding a few of them does not read all models.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING

from millrace import names
from millrace.adapters.dynamodb.audit import DynamoAuditTrail
from millrace.adapters.dynamodb.table import BODY, LONGEST_LOOK_UP, Item, Lost, Plain, Table
from millrace.adapters.dynamodb.tally import DynamoTallies
from millrace.domain import audit, tally
from millrace.domain.model import (
    CHAMPION,
    Approval,
    ApprovalState,
    ModelEvent,
    ModelEventKind,
    ModelVersion,
    RegisteredModel,
    rollout_moves,
    with_alias,
    with_decided,
    with_registered,
)
from millrace.domain.rollout import Rollout
from millrace.domain.truth import TruthFile
from millrace.errors import AlreadyDecided, Conflict, NotFound
from millrace.ports import Page

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

_META = "META"
_LISTING = "MODELS"
_WAITING, _LIVE = "WAITING", "LIVE"


class DynamoModelRegistry:
    def __init__(self, table: Table) -> None:
        self._table = table
        self._trail = DynamoAuditTrail(table)
        self._tallies = DynamoTallies(table)

    def claim_number(self, model: str, *, dataset: str, run_id: str, algorithm: str, at: datetime) -> int:
        self._ensure(RegisteredModel(name=model, dataset=dataset, created_at=at), run_id)
        return self._table.decide(lambda: self._claim_once(model, run_id, algorithm))

    def register(self, version: ModelVersion, *, actor: str) -> ModelVersion:
        return self._table.decide(lambda: self._register_once(version, actor))

    def get(self, model: str, number: int) -> ModelVersion:
        item = self._table.get(_pk(model), _version_sk(number))
        if item is None:
            raise NotFound(f"there is no model version {model}:{number}")
        return _version(item)

    def model(self, name: str) -> RegisteredModel:
        return _model(self._model_item(name))

    def models(self) -> Sequence[RegisteredModel]:
        return [_model(item) for item in self._table.listing(_LISTING)]

    def page(self, *, after: str | None = None, limit: int = 50, reverse: bool = False) -> Page[RegisteredModel]:
        items, position = self._table.page(
            names.LISTING_INDEX, _LISTING, after=after, limit=limit, newest_first=reverse
        )
        return Page([_model(item) for item in items], position)

    def waiting(self, *, limit: int = 50) -> Sequence[RegisteredModel]:
        return [model for model in self._marked(_WAITING, limit, newest_first=True) if model.pending]

    def live(self, *, limit: int = 50) -> Sequence[RegisteredModel]:
        return [model for model in self._marked(_LIVE, limit) if CHAMPION in model.aliases]

    def look_up_models(self, names: Iterable[str]) -> Mapping[str, RegisteredModel]:
        items = self._table.look_up([(_pk(name), _META) for name in dict.fromkeys(names)])
        return {model.name: model for model in map(_model, items)}

    def look_up(self, versions: Iterable[tuple[str, int]]) -> Mapping[tuple[str, int], ModelVersion]:
        keys = [(_pk(model), _version_sk(number)) for model, number in dict.fromkeys(versions)]
        found = map(_version, self._table.look_up(keys))
        return {(version.model, version.number): version for version in found}

    def versions(self, model: str) -> Sequence[ModelVersion]:
        return [_version(item) for item in self._table.query(_pk(model), "VERSION#", newest_first=True)]

    def page_versions(self, model: str, *, after: str | None = None, limit: int = 50) -> Page[ModelVersion]:
        items, position = self._table.part(_pk(model), "VERSION#", after=after, limit=limit, newest_first=True)
        return Page([_version(item) for item in items], position)

    def decide(self, model: str, number: int, *, approve: bool, actor: str, reason: str, at: datetime) -> ModelVersion:
        state = ApprovalState.APPROVED if approve else ApprovalState.REJECTED
        approval = Approval(state=state, actor=actor, reason=reason, decided_at=at)
        return self._table.decide(lambda: self._decide_once(model, number, approval))

    def move_alias(
        self, model: str, alias: str, number: int, *, expected: int | None, actor: str, reason: str, at: datetime
    ) -> ModelEvent:
        def attempt() -> ModelEvent:
            item = self._model_item(model)
            self._check_move(_model(item), alias, number, expected)
            event = ModelEvent(
                model=model,
                sequence=item["sequence"] + 1,
                kind=ModelEventKind.ALIAS_MOVED,
                number=number,
                previous_number=expected,
                alias=alias,
                actor=actor,
                reason=reason,
                at=at,
            )
            self._move_once(_model(item), event)
            return event

        return self._table.decide(attempt)

    def move_rollout(
        self,
        model: str,
        rollout: Rollout | None,
        *,
        run_id: str,
        number: int,
        actor: str,
        reason: str,
        at: datetime,
    ) -> ModelEvent | None:
        def attempt() -> ModelEvent | None:
            self.get(model, number)
            item = self._model_item(model)
            known = _model(item)
            champion = known.aliases.get(CHAMPION)
            kind = rollout_moves(known.rollout, rollout, champion=champion, run_id=run_id)
            if kind is None:
                return None
            sequence = item["sequence"] + 1
            event = ModelEvent(
                model=model, sequence=sequence, kind=kind, number=number, actor=actor, reason=reason, at=at
            )
            changed = known.model_copy(update={"rollout": rollout})
            self._table.write(
                *self._recorded(event, {BODY: changed.model_dump_json()}),
                *self._trail.recording(audit.rollout_moved(event, rollout.share if rollout else 0.0)),
            )
            return event

        return self._table.decide(attempt)

    def note_deployment(
        self, model: str, number: int, kind: ModelEventKind, *, actor: str, reason: str, at: datetime
    ) -> ModelEvent:
        def attempt() -> ModelEvent:
            self.get(model, number)
            for event in self.history(model):
                if (event.kind, event.number, event.at) == (kind, number, at):
                    return event
            sequence = self._model_item(model)["sequence"] + 1
            noted = ModelEvent(
                model=model, sequence=sequence, kind=kind, number=number, actor=actor, reason=reason, at=at
            )
            self._table.write(*self._recorded(noted), *self._trail.recording(audit.deployment_noted(noted)))
            return noted

        return self._table.decide(attempt)

    def note_truth_file(self, file: TruthFile) -> bool:
        self._model_item(file.model)
        item = self._table.create(_pk(file.model), _truth_sk(file.file_id), {BODY: file.model_dump_json()})

        def attempt() -> bool:
            if self._table.get(_pk(file.model), _truth_sk(file.file_id)) is not None:
                return False
            self._table.write(item, *self._trail.recording(audit.ground_truth_recorded(file)))
            return True

        return self._table.decide(attempt)

    def note_truth_told(self, model: str, told_id: str, labels: int, *, days: Collection[date], actor: str) -> None:
        self._model_item(model)
        pk, sk = _pk(model), f"TOLD#{told_id}"
        deed, item = audit.ground_truth_told(model, labels, days, actor), self._table.create(pk, sk, {})

        def attempt() -> None:
            if self._table.get(pk, sk) is None:
                self._table.write(item, *self._trail.recording(deed))

        self._table.decide(attempt)

    def truth_file(self, model: str, file_id: str) -> TruthFile:
        item = self._table.get(_pk(model), _truth_sk(file_id))
        if item is None:
            raise NotFound(f"model {model} has no file of ground truth {file_id}")
        return TruthFile.read(item[BODY])

    def history(self, model: str) -> Sequence[ModelEvent]:
        return [ModelEvent.read(item[BODY]) for item in self._table.query(_pk(model), "EVENT#")]

    def page_history(self, model: str, *, after: str | None = None, limit: int = 50) -> Page[ModelEvent]:
        items, position = self._table.part(_pk(model), "EVENT#", after=after, limit=limit, newest_first=True)
        return Page([ModelEvent.read(item[BODY]) for item in items], position)

    def _ensure(self, model: RegisteredModel, run_id: str) -> None:
        if self._table.get(_pk(model.name), _META) is not None:
            return
        attributes: dict[str, Plain] = {
            BODY: model.model_dump_json(),
            "latest_number": 0,
            "sequence": 0,
            "listing": _LISTING,
            "listed_at": model.name,
        }
        try:
            self._table.write(
                self._table.create(_pk(model.name), _META, attributes),
                self._tallies.counting(model.name, tally.ONE_MODEL),
                *self._trail.recording(audit.model_created(model, run_id)),
            )
        except Lost:
            return  # another candidate of the same run created it

    def _claim_once(self, model: str, run_id: str, algorithm: str) -> int:
        candidate_sk = _candidate_sk(run_id, algorithm)
        claimed = self._table.get(_pk(model), candidate_sk)
        if claimed is not None:
            return int(claimed["number"])
        number: int = self._model_item(model)["latest_number"] + 1
        self._table.write(
            self._table.change(_pk(model), _META, {"latest_number": number}, when={"latest_number": number - 1}),
            self._table.create(_pk(model), candidate_sk, {"number": number}),
            *self._trail.recording(audit.number_claimed(model, number, run_id, algorithm)),
        )
        return number

    def _register_once(self, version: ModelVersion, actor: str) -> ModelVersion:
        pk = _pk(version.model)
        claimed = self._table.get(pk, _candidate_sk(version.lineage.run_id, version.algorithm))
        if claimed is None or claimed["number"] != version.number:
            raise Conflict(f"{version.id} was not claimed for {version.algorithm} of run {version.lineage.run_id}")
        stored = self._table.get(pk, _version_sk(version.number))
        if stored is not None:
            return _version(stored)
        item = self._model_item(version.model)
        event = ModelEvent(
            model=version.model,
            sequence=item["sequence"] + 1,
            kind=ModelEventKind.REGISTERED,
            number=version.number,
            actor=actor,
            reason=version.verdict.sentence,
            at=version.created_at,
        )
        changed = with_registered(_model(item), version.number)
        self._table.write(
            *self._recorded(event, {BODY: changed.model_dump_json()}),
            self._table.create(pk, _version_sk(version.number), _version_attributes(version)),
            self._mark(version.model, _WAITING, f"{_sortable(version.created_at)}#{version.model}"),
            self._tallies.counting(version.model, tally.ONE_MODEL_VERSION),
            *self._trail.recording(audit.version_registered(version, actor)),
        )
        return version

    def _decide_once(self, model: str, number: int, approval: Approval) -> ModelVersion:
        version = self.get(model, number)
        if version.approval.state != ApprovalState.PENDING:
            raise AlreadyDecided(
                f"{version.id} was {version.approval.state} by {version.approval.actor}: {version.approval.reason}"
            )
        decided = version.model_copy(update={"approval": approval, "revision": version.revision + 1})
        item = self._model_item(model)
        event = ModelEvent(
            model=model,
            sequence=item["sequence"] + 1,
            kind=ModelEventKind(approval.state.value),
            number=number,
            actor=str(approval.actor),
            reason=str(approval.reason),
            at=approval.decided_at or version.created_at,
        )
        changed = with_decided(_model(item), number)
        done = [] if changed.pending else [self._table.forget(_pk(model), _WAITING)]
        self._table.write(
            *done,
            *self._recorded(event, {BODY: changed.model_dump_json()}),
            self._table.change(
                _pk(model),
                _version_sk(number),
                _version_attributes(decided),
                when={"approval": ApprovalState.PENDING},
            ),
            self._tallies.counting(model, tally.decided(approval.state)),
            *self._trail.recording(audit.version_decided(decided, approval)),
        )
        return decided

    def _check_move(self, model: RegisteredModel, alias: str, number: int, expected: int | None) -> None:
        approval = self.get(model.name, number).approval.state
        if approval != ApprovalState.APPROVED:
            raise Conflict(f"{model.name}:{number} is {approval}: only an approved version can become {alias}")
        present = model.aliases.get(alias)
        if present != expected or present == number:
            raise Conflict(f"alias {alias} of {model.name} is at {present or 'no version'} now: look again")

    def _move_once(self, model: RegisteredModel, event: ModelEvent) -> None:
        """The approval that was read needs no condition: a decision is final."""
        moved = with_alias(model, str(event.alias), event.number)
        live = [self._mark(model.name, _LIVE, model.name)] if CHAMPION in moved.aliases else []
        self._table.write(
            *live,
            *self._recorded(event, {BODY: moved.model_dump_json()}),
            *self._trail.recording(audit.alias_moved(event)),
        )

    def _recorded(self, event: ModelEvent, changes: dict[str, Plain] | None = None) -> list[TransactWriteItemTypeDef]:
        """The event, and the model moved on to it together with `changes`."""
        pk = _pk(event.model)
        return [
            self._table.change(
                pk, _META, {**(changes or {}), "sequence": event.sequence}, when={"sequence": event.sequence - 1}
            ),
            self._table.create(pk, f"EVENT#{event.sequence:08}", {BODY: event.model_dump_json()}),
        ]

    def _mark(self, model: str, mark: str, listed_at: str) -> TransactWriteItemTypeDef:
        """The sequence that the same transaction moves guards it: marks need no condition of their own."""
        listed: dict[str, Plain] = {"model": model, "listing": f"{_LISTING}#{mark}", "listed_at": listed_at}
        return self._table.put(_pk(model), mark, listed)

    def _marked(self, mark: str, limit: int, *, newest_first: bool = False) -> list[RegisteredModel]:
        """The index may trail the models, which are read as they are now."""
        listing = f"{_LISTING}#{mark}"
        marks, _ = self._table.page(names.LISTING_INDEX, listing, after=None, limit=limit, newest_first=newest_first)
        found: dict[str, RegisteredModel] = {}
        for first in range(0, len(marks), LONGEST_LOOK_UP):
            found.update(self.look_up_models(each["model"] for each in marks[first : first + LONGEST_LOOK_UP]))
        return [found[each["model"]] for each in marks if each["model"] in found]

    def _model_item(self, name: str) -> Item:
        item = self._table.get(_pk(name), _META)
        if item is None:
            raise NotFound(f"there is no registered model {name}")
        return item


def _truth_sk(file_id: str) -> str:
    return f"TRUTH#{file_id}"


def _pk(model: str) -> str:
    return f"MODEL#{model}"


def _version_sk(number: int) -> str:
    return f"VERSION#{number:08}"


def _candidate_sk(run_id: str, algorithm: str) -> str:
    return f"CANDIDATE#{run_id}#{algorithm}"


def _sortable(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds")


def _model(item: Item) -> RegisteredModel:
    counted = {"latest_number": item["latest_number"], "revision": item["sequence"]}
    return RegisteredModel.read(item[BODY]).model_copy(update=counted)


def _version(item: Item) -> ModelVersion:
    return ModelVersion.read(item[BODY])


def _version_attributes(version: ModelVersion) -> dict[str, Plain]:
    return {BODY: version.model_dump_json(), "approval": version.approval.state}
