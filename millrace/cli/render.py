"""Turns entities into tables and sentences for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from rich.table import Table
from rich.text import Text

from millrace.domain.dataset import Dataset, DatasetVersion, Quality
from millrace.domain.model import ApprovalState, ModelEvent, ModelVersion, RegisteredModel
from millrace.domain.run import Run, RunState, Step

STYLES = {
    "SUCCEEDED": "green",
    "READY": "green",
    "APPROVED": "green",
    "RUNNING": "blue",
    "PREPARING": "blue",
    "PENDING": "magenta",
    "FAILED": "red",
    "REJECTED": "red",
    "TIMED_OUT": "red",
    "ABORTED": "red",
}
UNBROKEN = {"run", "version", "dataset", "model", "state", "started", "took"}


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str | Text]]) -> Table:
    """Nothing is cut off: what does not fit goes on in the next line, and an id, which people copy, is never broken."""
    made = Table(title=title, title_justify="left", box=None, header_style="dim", pad_edge=False)
    for column in columns:
        made.add_column(column, overflow="fold", no_wrap=column in UNBROKEN)
    for row in rows:
        made.add_row(*row)
    return made


def state(value: str) -> Text:
    return Text(value, style=STYLES.get(value, ""))


def moment(at: datetime | None) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S") if at else ""


def seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.1f} s"


def run_rows(runs: Iterable[Run]) -> list[list[str | Text]]:
    return [
        [state(r.state), r.run_id, _subject(r), f"{r.started_at:%Y-%m-%d %H:%M}", seconds(_duration(r)), r.started_by]
        for r in runs
    ]


def _subject(run: Run) -> str:
    return f"{run.dataset} v{run.dataset_version}" if run.dataset_version else run.dataset


def _duration(run: Run) -> float | None:
    return (run.ended_at - run.started_at).total_seconds() if run.ended_at else None


def step_table(steps: Sequence[Step]) -> Table:
    rows: list[list[str | Text]] = [
        [state(s.state), f"{s.name} {s.item or ''}".strip(), seconds(s.seconds), s.reason or ""] for s in steps
    ]
    return table("", ["state", "step", "took", "reason"], rows)


def dataset_rows(datasets: Iterable[Dataset]) -> list[list[str | Text]]:
    return [
        [d.name, str(d.latest_ready_version or "none"), d.settings.target or "none yet: waits", moment(d.created_at)]
        for d in datasets
    ]


def version_rows(versions: Iterable[DatasetVersion]) -> list[list[str | Text]]:
    return [[f"v{v.version}", state(v.state), "\n".join([*v.reasons, *quality_lines(v.quality)])] for v in versions]


def quality_lines(quality: Quality | None) -> list[str]:
    """The counts, what changed against the contract, and what was let through with a warning."""
    return [] if quality is None else [quality_sentence(quality), *quality.schema_changes, *quality.warnings]


def quality_sentence(quality: Quality) -> str:
    split = ", ".join(f"{name} {rows:,}" for name, rows in quality.split_rows.items())
    return (
        f"{quality.rows_in:,} rows in = {quality.accepted:,} accepted + {quality.quarantined:,} quarantined"
        f" ({quality.quarantined_share:.1%}); {split}; {quality.null_share:.1%} of cells empty"
    )


def model_rows(models: Iterable[RegisteredModel]) -> list[list[str | Text]]:
    return [
        [m.name, m.dataset, str(m.latest_number), ", ".join(f"{a} → v{n}" for a, n in sorted(m.aliases.items()))]
        for m in models
    ]


def candidate_rows(versions: Iterable[ModelVersion]) -> list[list[str | Text]]:
    """The recommended one is starred."""
    return [
        [
            v.id + (" ★" if v.recommended else ""),
            v.algorithm,
            state(v.approval.state),
            figure(v),
            f"{v.training_seconds:.0f} s",
        ]
        for v in versions
    ]


CANDIDATE_COLUMNS = ["version", "algorithm", "approval", "test figure (95 % interval)", "trained in"]


def verdict_lines(versions: Iterable[ModelVersion]) -> str:
    return "\n".join(f"{version.id}: {version.verdict.sentence}" for version in versions)


def figure(version: ModelVersion) -> str:
    metric = version.metrics[version.primary_metric]
    return f"{version.primary_metric} {metric.value:.4f} ({metric.low:.4f} to {metric.high:.4f})"


def version_facts(version: ModelVersion) -> Table:
    lineage = version.lineage
    facts = {
        "algorithm": f"{version.algorithm}, {version.task}",
        "hyperparameters": ", ".join(f"{key}={value}" for key, value in sorted(version.hyperparameters.items())),
        "verdict": version.verdict.sentence,
        "approval": _approval(version),
        "dataset": f"{lineage.dataset} v{lineage.dataset_version} (sha256 {lineage.dataset_sha256[:12]}…)",
        "run": lineage.run_id,
        "code, image": f"{lineage.code_digest[:12]}…, {lineage.image}",
        "artefact": f"{version.artifact_uri} (digest {version.artifact_digest[:12]}…)",
        "evaluation": version.evaluation_uri,
    }
    return table(f"{version.id}", ["", ""], facts.items())


def _approval(version: ModelVersion) -> str:
    approval = version.approval
    if approval.state is ApprovalState.PENDING:
        return f"PENDING: millrace approve {version.id} --reason …"
    return f"{approval.state} by {approval.actor} at {moment(approval.decided_at)}: {approval.reason}"


def metric_rows(version: ModelVersion) -> list[list[str]]:
    return [[name, f"{m.value:.4f}", f"{m.low:.4f} to {m.high:.4f}"] for name, m in sorted(version.metrics.items())]


def event_rows(events: Iterable[ModelEvent]) -> list[list[str]]:
    return [[moment(e.at), f"v{e.number}", _what(e), e.actor, e.reason] for e in events]


def _what(event: ModelEvent) -> str:
    if event.alias is None:
        return event.kind
    came_from = f" from v{event.previous_number}" if event.previous_number else ""
    return f"{event.kind} {event.alias}{came_from}"


def ended_well(run: Run) -> bool:
    return run.state is RunState.SUCCEEDED
