"""The retrain governor's decision: drift asks for retraining, and this says whether it would help, and why (not)."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from pydantic import Field

from millrace.domain.entity import Entity, Moment


class RetrainingPolicy(Entity):
    """When drift may start training. `daily_spend_cap_usd` is for all training of the dataset in a UTC day.

    `min_new_rows` are labelled rows in a newer dataset version than the champion's. Null as a cap means none.
    """

    governor: bool = True
    cool_down_hours: float = Field(default=24.0, ge=0, le=24 * 90)
    min_new_rows: int = Field(default=100, ge=1)
    daily_spend_cap_usd: float | None = Field(default=25.0, ge=0)


class RetrainingReason(StrEnum):
    ALLOWED = "allowed"
    GOVERNOR_OFF = "governor_off"
    NO_CHAMPION = "no_champion"
    NO_TARGET = "no_target"
    RUN_IN_FLIGHT = "run_in_flight"
    NO_NEW_LABELS = "no_new_labels"
    TOO_FEW_LABELS = "too_few_labels"
    ALREADY_TRAINED = "already_trained"
    COOL_DOWN = "cool_down"
    SPEND_CAP = "spend_cap"
    IMPOSSIBLE = "impossible"


class RetrainingFacts(NamedTuple):
    """What the decision is made from. `new_rows` are those of `newest_version`, when it is newer than the champion's.

    `trained_as` is a model version that came of the newest dataset version already. A champion that was taken over was
    `trained_in` another environment; it has a `champion_version` only when that one's rows have come here as well.
    """

    now: datetime
    policy: RetrainingPolicy
    has_target: bool
    champion: str | None
    champion_version: int | None
    newest_version: int
    new_rows: int
    trained_as: str | None
    run_in_flight: str | None
    last_started_at: datetime | None
    spent_today_usd: float
    estimate_usd: float | None
    trained_in: str | None = None


class RetrainingVerdict(NamedTuple):
    start: bool
    reason: RetrainingReason
    sentence: str


class RetrainingDecision(Entity):
    """One decision, kept for ever: what asked, what was said, and the run that came of it."""

    model: str
    decision_id: str
    at: Moment
    trigger: str
    start: bool
    reason: RetrainingReason
    sentence: str
    dataset_version: int
    new_rows: int
    run_id: str | None = None


def decide_retraining(facts: RetrainingFacts) -> RetrainingVerdict:
    """The first reason against training, or that it may start. The reasons that say most come first."""
    policy = facts.policy
    wanted = f"v{facts.newest_version}"
    if not policy.governor:
        return _no(RetrainingReason.GOVERNOR_OFF, "Drift starts no training here: the governor is off.")
    if not facts.has_target:
        return _no(RetrainingReason.NO_TARGET, "Retraining cannot start: the dataset's settings name no target.")
    if facts.champion is None:
        return _no(RetrainingReason.NO_CHAMPION, "There is nothing to retrain: no version of this model is champion.")
    if facts.run_in_flight is not None:
        return _no(RetrainingReason.RUN_IN_FLIGHT, f"Training run {facts.run_in_flight} is under way already.")
    if facts.newest_version <= (facts.champion_version or 0) or facts.new_rows <= 0:
        return _no(RetrainingReason.NO_NEW_LABELS, f"Retraining cannot help: {_nothing_new(facts)}.")
    if facts.trained_as is not None:
        said = f"{facts.trained_as} came of {wanted} already, the newest there is"
        return _no(RetrainingReason.ALREADY_TRAINED, f"Retraining cannot help: {said}. Decide on it, or bring labels.")
    if facts.new_rows < policy.min_new_rows:
        said = f"{wanted} has {facts.new_rows:,} labelled rows, and the policy asks for {policy.min_new_rows:,}"
        return _no(RetrainingReason.TOO_FEW_LABELS, f"Retraining would learn too little: {said}.")
    return _when_affordable(facts) or _yes(facts)


def _nothing_new(facts: RetrainingFacts) -> str:
    if facts.champion_version is None:
        return f"there are no labels here, and {facts.champion} was trained on those of {facts.trained_in}"
    return f"no new labels since v{facts.champion_version}, which {facts.champion} was trained on"


def _when_affordable(facts: RetrainingFacts) -> RetrainingVerdict | None:
    policy = facts.policy
    if facts.last_started_at is not None:
        free_at = facts.last_started_at + timedelta(hours=policy.cool_down_hours)
        if facts.now < free_at:
            said = f"the last training began at {facts.last_started_at:%Y-%m-%d %H:%M} UTC"
            hours = f"{policy.cool_down_hours:g} hours of cool-down end at {free_at:%Y-%m-%d %H:%M} UTC"
            return _no(RetrainingReason.COOL_DOWN, f"It is too early to train again: {said}, and {hours}.")
    cap = policy.daily_spend_cap_usd
    if cap is not None and facts.spent_today_usd + (facts.estimate_usd or 0.0) > cap:
        said = f"{facts.spent_today_usd:.2f} USD were spent today and a run costs about {facts.estimate_usd or 0:.2f}"
        return _no(RetrainingReason.SPEND_CAP, f"Retraining would break the daily cap of {cap:.2f} USD: {said}.")
    return None


def _yes(facts: RetrainingFacts) -> RetrainingVerdict:
    said = f"v{facts.newest_version} brings {facts.new_rows:,} labelled rows that {facts.champion} has not seen"
    return RetrainingVerdict(True, RetrainingReason.ALLOWED, f"Training starts: {said}.")


def _no(reason: RetrainingReason, sentence: str) -> RetrainingVerdict:
    return RetrainingVerdict(False, reason, sentence)
