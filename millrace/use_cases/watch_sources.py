"""What notices trouble - drift reports, ended runs, CloudWatch alarms - in the words of alerts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from millrace.domain.alert import AlertKind, AlertSeverity, Signal
from millrace.domain.audit import acting
from millrace.domain.drift import DriftSeverity
from millrace.domain.event import DriftDetected
from millrace.domain.page import ALERTS, monitoring_page, run_page
from millrace.domain.run import Run, RunState

_PART = re.compile(r"-Part(\w+?)[0-9A-F]{8}(?:-|$)")
_DRIFT = {
    "data": (AlertKind.DATA_DRIFT, "The data that {model} sees drifted"),
    "prediction": (AlertKind.PREDICTION_DRIFT, "The predictions of {model} drifted"),
    "performance": (AlertKind.PERFORMANCE_DECAY, "{model} predicts worse than it did"),
}


def drift_cause(event: DriftDetected) -> str:
    """One cause for each kind of drift of a model: another version or window does not make it another one."""
    return f"drift:{event.model}:{event.kind}"


def drift_signal(event: DriftDetected, at: datetime) -> Signal:
    kind, title = _DRIFT[event.kind]
    severe = event.severity is DriftSeverity.SEVERE or kind is AlertKind.PERFORMANCE_DECAY
    source = {"report_id": event.report_id, "report_uri": event.report_uri, "features": ", ".join(event.features)}
    return Signal(
        cause=drift_cause(event),
        signal_id=event.report_id,
        kind=kind,
        severity=AlertSeverity.CRITICAL if severe else AlertSeverity.WARNING,
        title=title.format(model=event.model),
        sentence=event.sentence,
        at=at,
        actor=f"report:{event.report_id}",
        link=monitoring_page(event.model, event.kind),
        model=event.model,
        source={name: value for name, value in source.items() if value},
    )


def run_cause(run: Run) -> str:
    """Failures of one pipeline on one dataset are one cause, until a run of it succeeds."""
    return f"run:{run.pipeline}:{run.dataset}"


def run_signal(run: Run) -> Signal | None:
    """None for a run that succeeded, or that a person stopped."""
    if run.state not in (RunState.FAILED, RunState.TIMED_OUT) or run.ended_at is None:
        return None
    ended = "failed" if run.state is RunState.FAILED else "took too long"
    return Signal(
        cause=run_cause(run),
        signal_id=run.run_id,
        kind=AlertKind.RUN_FAILED,
        severity=AlertSeverity.WARNING,
        title=f"{run.pipeline.capitalize()} of {run.dataset or 'an upload without a dataset'} {ended}",
        sentence=run.reason or f"{run.run_id} ended {run.state}",
        at=run.ended_at,
        actor=acting(run.run_id),
        link=run_page(run.run_id),
        model=run.model,
        dataset=run.dataset or None,
        source={"run_id": run.run_id, "pipeline": run.pipeline},
    )


def alarm_cause(name: str) -> str:
    return f"alarm:{name}"


def alarm_signal(name: str, description: str, reason: str, at: datetime, *, parts: Sequence[str] = ()) -> Signal:
    """`description` says in a sentence what the alarm means, `reason` what CloudWatch saw.

    Of an alarm that joins others `parts` are the names of those that set it off: they say more than the reason.
    """
    title, _, advice = description.partition(". ")
    which = ", ".join(_as_written(part) for part in parts)
    seen = f"It was set off by {which}" if parts else reason
    return Signal(
        cause=alarm_cause(name),
        signal_id=f"{name}@{at.isoformat()}",
        kind=AlertKind.ALARM,
        severity=AlertSeverity.WARNING,
        title=title.rstrip(".") or name,
        sentence=". ".join(part.rstrip(".") for part in (advice, seen) if part) + ".",
        at=at,
        actor=f"alarm:{name}",
        link=ALERTS,
        source={"alarm": name} | ({"parts": which} if parts else {}),
    )


def _as_written(name: str) -> str:
    """What the templates call a part of a joined alarm: CloudFormation puts its stack before that, a hash behind."""
    found = _PART.search(name)
    return found[1] if found else name
