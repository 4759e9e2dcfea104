"""Turns entities into tables and sentences for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from rich.table import Table
from rich.text import Text

from millrace.domain.cost import PRICES_OF, Costs
from millrace.domain.dataset import Quality
from millrace.domain.model import ModelVersion
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


def cost_line(costs: Costs | None) -> str:
    """What a run cost by list prices, and what that is made of."""
    if costs is None or costs.usd is None:
        return "not known"
    parts = [
        (costs.jobs, "job", costs.jobs_usd),
        (costs.invocations, "function call", costs.functions_usd),
        (costs.transitions, "transition", costs.transitions_usd),
    ]
    told = [f"{number:,} {what}{'' if number == 1 else 's'} {_dollars(usd)}" for number, what, usd in parts if number]
    return f"{_dollars(costs.usd)} by list prices of {PRICES_OF}{': ' if told else ''}{', '.join(told)}"


def _dollars(usd: float | None) -> str:
    """As the dashboard writes them: under a tenth of a cent with as many digits as are needed to see something."""
    known = usd or 0.0
    return f"${known:.6f}" if 0 < known < 0.001 else f"${known:.4f}"


def step_table(steps: Sequence[Step]) -> Table:
    rows: list[list[str | Text]] = [
        [state(s.state), f"{s.name} {s.item or ''}".strip(), seconds(s.seconds), s.reason or ""] for s in steps
    ]
    return table("", ["state", "step", "took", "reason"], rows)


def quality_lines(quality: Quality | None) -> list[str]:
    """The counts, what changed against the contract, and what was let through with a warning."""
    return [] if quality is None else [quality_sentence(quality), *quality.schema_changes, *quality.warnings]


def quality_sentence(quality: Quality) -> str:
    split = ", ".join(f"{name} {rows:,}" for name, rows in quality.split_rows.items())
    return (
        f"{quality.rows_in:,} rows in = {quality.accepted:,} accepted + {quality.quarantined:,} quarantined"
        f" ({quality.quarantined_share:.1%}); {split}; {quality.null_share:.1%} of cells empty"
    )


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


def ended_well(run: Run) -> bool:
    return run.state is RunState.SUCCEEDED
