"""Turns the API's answers into tables for a terminal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.table import Table
from rich.text import Text

from millrace.cli import render
from millrace.domain.cost import Costs
from millrace.domain.run import Step

Document = dict[str, Any]
Rows = Iterable[Document]


def run_table(runs: Rows) -> Table:
    rows = (
        [render.state(r["state"]), r["run_id"], _subject(r), moment(r["started_at"]), render.seconds(r["seconds"]),
         r["started_by"]]
        for r in runs
    )  # fmt: skip
    return render.table("Runs", ["state", "run", "on", "started", "took", "by"], rows)


def _subject(run: Document) -> str:
    return f"{run['dataset']} v{run['dataset_version']}" if run["dataset_version"] else str(run["dataset"])


def steps_of(run: Document) -> list[Step]:
    kept = ("name", "item", "state", "started_at", "ended_at", "reason")
    return [Step(**{name: step[name] for name in kept}) for step in run.get("steps", [])]


def costs_of(run: Document) -> Costs | None:
    """None from an environment whose API does not tell them yet."""
    told = run.get("costs")
    return None if told is None else Costs(**{name: told[name] for name in Costs._fields})


def dataset_table(datasets: Rows) -> Table:
    rows = (
        [d["name"], str(d["latest_ready_version"] or "none"), d["target"] or "none yet: waits", moment(d["created_at"])]
        for d in datasets
    )
    return render.table("Datasets", ["dataset", "latest version", "target", "since"], rows)


def version_table(name: str, versions: Rows) -> Table:
    rows: Iterable[list[str | Text]] = (
        [f"v{v['version']}", render.state(v["state"]), "\n".join(_came_of_it(v))] for v in versions
    )
    return render.table(name, ["version", "state", "what came of it"], rows)


def _came_of_it(version: Document) -> list[str]:
    if version["rows_in"] is None:
        return list(version["reasons"])
    share = version["quarantined_share"] or 0.0
    counts = (
        f"{version['rows_in']:,} rows in = {version['accepted']:,} accepted"
        f" + {version['quarantined']:,} quarantined ({share:.1%}); {version['warnings']} warnings"
    )
    return [*version["reasons"], counts]


def model_table(models: Rows) -> Table:
    rows = (
        [m["name"], m["dataset"], (m["latest"] or {}).get("id", ""), ", ".join(m["pending"]),
         ", ".join(f"{alias} → {version}" for alias, version in sorted(m["aliases"].items()))]
        for m in models
    )  # fmt: skip
    return render.table("Models", ["model", "dataset", "latest", "waiting", "aliases"], rows)


def candidate_table(name: str, versions: Rows) -> Table:
    """The recommended one is starred."""
    rows: Iterable[list[str | Text]] = (
        [v["id"] + (" ★" if v["recommended"] else ""), v["algorithm"], render.state(v["approval"]),
         f"{v['metric']} {_figure(v['value'])}", v["verdict"]]
        for v in versions
    )  # fmt: skip
    return render.table(name, ["version", "algorithm", "approval", "test figure (95 % interval)", "verdict"], rows)


def _figure(metric: Document) -> str:
    return f"{metric['value']:.4f} ({metric['low']:.4f} to {metric['high']:.4f})"


def history_table(events: Rows) -> Table:
    rows = ([moment(e["at"]), e["version"], _what(e), e["actor"], e["reason"]] for e in events)
    return render.table("History", ["at", "version", "what", "who", "why"], rows)


def _what(event: Document) -> str:
    if event["alias"] is None:
        return str(event["kind"])
    came_from = f" from {event['previous_version']}" if event["previous_version"] else ""
    return f"{event['kind']} {event['alias']}{came_from}"


def version_facts(version: Document) -> Table:
    lineage, approval = version["lineage"], version["approval"]
    facts = {
        "algorithm": f"{version['algorithm']}, {version['task']}",
        "hyperparameters": ", ".join(f"{key}={value}" for key, value in sorted(version["hyperparameters"].items())),
        "verdict": version["verdict"]["sentence"],
        "approval": _approval(version["id"], approval),
        "aliases": ", ".join(version["aliases"]) or "none",
        "dataset": f"{lineage['dataset']} v{lineage['dataset_version']} (sha256 {lineage['dataset_sha256'][:12]}…)",
        "run": lineage["run_id"],
        "code, image": f"{lineage['code_digest'][:12]}…, {lineage['image']}",
        "artefact": f"{version['artifact_uri']} (digest {version['artifact_digest'][:12]}…)",
    }
    return render.table(str(version["id"]), ["", ""], facts.items())


def _approval(version_id: str, approval: Document) -> str:
    if approval["state"] == "PENDING":
        return f"PENDING: millrace approve {version_id} --reason …"
    return f"{approval['state']} by {approval['actor']} at {moment(approval['decided_at'])}: {approval['reason']}"


def metric_table(version: Document) -> Table:
    rows = ([name, f"{m['value']:.4f}", f"{m['low']:.4f} to {m['high']:.4f}"] for name, m in _metrics(version))
    return render.table("On the test split", ["metric", "value", "95 % interval"], rows)


def _metrics(version: Document) -> list[tuple[str, Document]]:
    return sorted(version["metrics"].items())


def prediction_table(answer: Document) -> Table:
    """With what moved each score, the most first, where that was asked for."""
    rows = [
        [p["record_id"], str(p["prediction"]), _probabilities(p["probabilities"]), "; ".join(p["notices"].values())]
        for p in answer["predictions"]
    ]
    columns = ["record", "prediction", "probabilities", "notices"]
    moved = [_effects(p.get("explanation")) for p in answer["predictions"]]
    if any(moved):
        columns, rows = [*columns, "moved by"], [[*row, each] for row, each in zip(rows, moved, strict=True)]
    return render.table(answer["model_version"], columns, rows)


def _probabilities(found: dict[str, float] | None) -> str:
    return ", ".join(f"{name} {share:.3f}" for name, share in (found or {}).items())


def _effects(explanation: Document | None) -> str:
    found: dict[str, float] = (explanation or {}).get("effects", {})
    most_first = sorted(found.items(), key=lambda effect: -abs(effect[1]))
    return ", ".join(f"{name} {effect:+.3f}" for name, effect in most_first)


def moment(at: str | None) -> str:
    """`2026-11-20T12:00:00.5Z` as `2026-11-20 12:00:00`."""
    return (at or "")[:19].replace("T", " ")
