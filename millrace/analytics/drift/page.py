"""A drift report as one HTML file: no script, no other file, nothing loaded from anywhere."""

from __future__ import annotations

from html import escape

from millrace.analytics.drift.sentences import percent
from millrace.domain.drift import DriftOverlay, DriftReport, DriftScore, FeatureDrift, Performance, worst_first

_WIDTH, _HEIGHT = 300, 72
_LONGEST_LEVEL = 24
_STYLE = """
body{font:14px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem;color:#1f2430;background:#fff}
h1{font-size:1.3rem}h2{font-size:1.05rem;margin:1.6rem 0 .3rem}p{margin:.3rem 0}
small,.small{color:#4b5563;font-size:12px}
table{border-collapse:collapse;margin:.4rem 0}td,th{padding:.15rem .8rem .15rem 0;text-align:left;font-weight:400}
th{color:#4b5563}.v{font-weight:600;padding:.05rem .45rem;border-radius:5px}
.DRIFT{color:#92400e;background:#fdf1d8}.OK{color:#166534;background:#e7f6ec}.SKIPPED{color:#4b5563;background:#eef0f3}
svg{display:block;margin:.3rem 0}section{border-top:1px solid #e5e7eb;padding-top:.2rem}
""".strip()


def drift_page(report: DriftReport) -> str:
    """The whole report: what was compared, the verdict, and each feature with both histograms, worst first."""
    features = "\n".join(_section(each, report.overlays.get(each.feature)) for each in worst_first(report.features))
    title = f"{report.kind.capitalize()} drift of {report.model}: {report.verdict}"
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{escape(title)}</title><style>{_STYLE}</style></head><body>
<h1>{escape(title)}</h1>
<p>{_verdict(report.verdict)} {escape(report.sentence)}</p>
{_facts(report)}
{_performances(report.performance)}
{features}
<p class="small">Grey: baseline. Amber: window. Shares of the values that are there; outermost bars hold what lies
beyond. When nothing changed, this rule raises an alarm in at most {percent(report.false_alarm_share)} of windows.</p>
</body></html>
"""


def _facts(report: DriftReport) -> str:
    seen = report.smallest_shift_sd
    rows = {
        "Model version": report.model_version or report.model,
        "Baseline": f"{report.baseline or 'none'}, {report.baseline_rows:,} rows",
        "Window": f"{report.window}, {report.window_rows:,} rows",
        **({} if report.labels is None else {"Labels": report.labels.sentence}),
        "Severity": report.severity.value,
        "Smallest shift it could have seen": "unknown" if seen is None else f"{seen:.2f} sd",
        "Made": report.created_at.isoformat(timespec="seconds"),
        "Report": report.id,
    }
    return _table(rows)


def _performances(performances: tuple[Performance, ...]) -> str:
    if not performances:
        return ""
    lines = "".join(
        f"<tr><td>{escape(each.metric)}</td><td>{each.held_out:.4g}</td><td>{each.window:.4g}</td>"
        f"<td>{_bounds(each)}</td></tr>"
        for each in performances
    )
    assumed = next((each.assumption for each in performances if each.assumption), None)
    note = f"<p class='small'>An estimate. It assumes that {escape(assumed)}.</p>" if assumed else ""
    return (
        "<table><tr><th>Metric</th><th>Held-out rows</th><th>Window</th><th>95 % interval</th></tr>"
        f"{lines}</table>{note}"
    )


def _bounds(each: Performance) -> str:
    return "estimate" if each.low is None or each.high is None else f"{each.low:.4g} to {each.high:.4g}"


def _section(feature: FeatureDrift, overlay: DriftOverlay | None) -> str:
    picture = "" if overlay is None else _picture(feature.feature, overlay)
    facts = {each.metric: _score(each) for each in feature.scores}
    if feature.smallest_shift_sd is not None:
        facts["smallest shift it could have seen"] = f"{feature.smallest_shift_sd:.2f} sd"
    return (
        f"<section><h2>{escape(feature.feature)} {_verdict(feature.verdict)}</h2>"
        f"<p>{escape(feature.sentence)}</p>{picture}{_table(facts)}</section>"
    )


def _score(score: DriftScore) -> str:
    error = f" ± {score.error:.3g}" if score.error else ""
    return f"{score.score:.3f}{error} (threshold {score.threshold:g})"


def _picture(name: str, overlay: DriftOverlay) -> str:
    """Two bars a bin. Names of levels and edges are in each bar's title, so the picture can be read without colours."""
    bins = len(overlay.baseline)
    highest = max((*overlay.baseline, *overlay.window), default=0.0) or 1.0
    width = _WIDTH / max(1, bins)
    bars = []
    for place in range(bins):
        told = _bin_name(overlay, place)
        for shift, share, colour in (
            (0.0, overlay.baseline[place], "#9ca3af"),
            (0.45, overlay.window[place], "#d97706"),
        ):
            height = share / highest * _HEIGHT
            bars.append(
                f'<rect x="{(place + shift) * width:.1f}" y="{_HEIGHT - height:.1f}" width="{width * 0.42:.1f}" '
                f'height="{height:.1f}" fill="{colour}"><title>{escape(told)}: {share:.1%}</title></rect>'
            )
    ends = f"{escape(_bin_name(overlay, 0))} … {escape(_bin_name(overlay, bins - 1))}"
    return (
        f'<svg width="{_WIDTH}" height="{_HEIGHT}" role="img" aria-label="{escape(name)}: baseline and window">'
        f"{''.join(bars)}</svg><small>{ends}</small>"
    )


def _bin_name(overlay: DriftOverlay, place: int) -> str:
    if overlay.levels:
        level = overlay.levels[place]
        return level if len(level) <= _LONGEST_LEVEL else f"{level[:_LONGEST_LEVEL]}…"
    return f"{overlay.edges[place]:.4g} to {overlay.edges[place + 1]:.4g}"


def _verdict(verdict: str) -> str:
    return f'<span class="v {verdict}">{verdict}</span>'


def _table(rows: dict[str, str]) -> str:
    lines = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in rows.items())
    return f"<table>{lines}</table>" if lines else ""
