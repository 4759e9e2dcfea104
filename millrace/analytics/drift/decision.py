"""The calibrated decision: which features drifted, how sure that is, and what could not have been seen.

Per feature, tests that look for different changes share its error: location, spread and shape of numbers, or levels of
categories, and missing values. Each p-value is divided by its test's weight (weighted Bonferroni), the least is the
feature's. A test that no permutation could make reject (no nulls on either side) leaves its weight to the others.

Over features, false discoveries are controlled by Benjamini and Hochberg (1995), with weights of mean 1 that pull
power towards features the model leans on (Genovese, Roeder and Wasserman, 2006). When nothing changed at all, the
share of windows with any false alarm is the false discovery share. A feature drifts when it survives this and when its
effect is worth a word: at least one metric beyond its threshold, whatever the number of rows.

A destroyed feature has a path of its own (see DriftRule), so that neither importances nor 199 quiet neighbours hide it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from millrace.analytics.drift import DRIFT_METRICS, significance
from millrace.analytics.drift.distributions import Categories, Feature, Numbers, feature_of
from millrace.analytics.drift.sentences import overall_sentence, sentence_of
from millrace.analytics.profiling import ColumnProfile, DatasetProfile
from millrace.domain.drift import (
    DriftJudgement,
    DriftRule,
    DriftScore,
    DriftSeverity,
    DriftVerdict,
    FeatureDrift,
)

POWER = 0.8
SEVERE_IMPORTANCE_SHARE = 0.5
MINOR_IMPORTANCE_SHARE = 0.1

_NUMBER_WEIGHTS = {"location": 0.7, "shape": 0.15, "spread": 0.075}
_NULLS_WEIGHT = 0.075
_LEVEL_WEIGHT, _LEVELS_WEIGHT = 0.6, 0.325
_TIME_KINDS = ("date", "timestamp")
_POWER_SD = NormalDist().inv_cdf(POWER)
_IDENTIFIER_SHARE = 0.5


@dataclass(frozen=True)
class _Candidate:
    """A feature with everything known about it before features are judged together."""

    name: str
    kind: str
    feature: Feature
    p_value: float
    scores: tuple[DriftScore, ...]
    moved_share: float
    shift_sd: float | None
    importance_share: float | None
    why_values_are_skipped: str | None


def judge_drift(
    baseline: DatasetProfile | None,
    window: DatasetProfile,
    *,
    features: Sequence[str] | None = None,
    importances: Mapping[str, float] | None = None,
    rule: DriftRule | None = None,
) -> DriftJudgement:
    """`features` (default: the baseline's columns without its target); `importances`: any non-negative numbers."""
    rule = rule or DriftRule()
    why = _why_nothing_is_judged(baseline, window, rule)
    if baseline is None or why is not None:
        return _skipped(baseline, window, rule, why or "no baseline")
    names = features if features is not None else [name for name in baseline.columns if name != baseline.target]
    shares = _importance_shares(names, importances)
    found: list[FeatureDrift | _Candidate] = [
        _examine(name, baseline.columns.get(name), window.columns.get(name), shares.get(name), rule) for name in names
    ]
    candidates = [entry for entry in found if isinstance(entry, _Candidate)]
    judged = _judge_together(candidates, rule)
    entries = tuple(judged[entry.name] if isinstance(entry, _Candidate) else entry for entry in found)
    return _overall(entries, baseline, window, rule)


def _why_nothing_is_judged(baseline: DatasetProfile | None, window: DatasetProfile, rule: DriftRule) -> str | None:
    if baseline is None:
        return "no baseline"
    if window.rows < rule.minimum_rows:
        return f"too few rows: {window.rows}, need {rule.minimum_rows}"
    if baseline.rows < rule.minimum_rows:
        return f"too few rows in the baseline: {baseline.rows}, need {rule.minimum_rows}"
    return None


def _importance_shares(names: Sequence[str], importances: Mapping[str, float] | None) -> dict[str, float]:
    """Shares of the model among `names`, which add up to 1; empty when nothing is known."""
    known = {name: max(0.0, (importances or {}).get(name, 0.0)) for name in names}
    total = sum(known.values())
    return {name: value / total for name, value in known.items()} if total > 0 else {}


def _examine(
    name: str,
    baseline: ColumnProfile | None,
    window: ColumnProfile | None,
    importance_share: float | None,
    rule: DriftRule,
) -> FeatureDrift | _Candidate:
    """A feature that can be judged, or its verdict where nothing is left to judge."""
    kind = baseline.kind if baseline else window.kind if window else "unknown"

    def settled(verdict: DriftVerdict, reason: str) -> FeatureDrift:
        return FeatureDrift(
            feature=name,
            kind=kind,
            verdict=verdict,
            sentence=f"`{name}`: {reason}",
            reason=reason,
            destroyed=verdict is DriftVerdict.DRIFT,
            importance_share=importance_share,
        )

    if baseline is None:
        return settled(DriftVerdict.SKIPPED, "not in the baseline")
    if window is None:
        return settled(DriftVerdict.DRIFT, "missing from the window")
    if kind in _TIME_KINDS:
        return settled(DriftVerdict.SKIPPED, "time moves on by itself")
    if not _comparable(baseline, window):
        return settled(DriftVerdict.DRIFT, f"its kind changed from {baseline.kind} to {window.kind}")
    feature = feature_of(baseline, window)
    why = _why_values_are_skipped(baseline, window, rule)
    if why is not None:
        feature = Feature(None, feature.nulls)
    if why is not None and not _nulls_can_tell(feature):
        return settled(DriftVerdict.SKIPPED, why)
    return _Candidate(
        name=name,
        kind=kind,
        feature=feature,
        p_value=_p_value(feature),
        scores=_scores(feature, rule),
        moved_share=_moved_share(feature),
        shift_sd=_shift_sd(baseline, window, feature),
        importance_share=importance_share,
        why_values_are_skipped=why,
    )


def _comparable(baseline: ColumnProfile, window: ColumnProfile) -> bool:
    numbers = ("integer", "number")
    return baseline.kind == window.kind or (baseline.kind in numbers and window.kind in numbers)


def _why_values_are_skipped(baseline: ColumnProfile, window: ColumnProfile, rule: DriftRule) -> str | None:
    if not baseline.count:
        return "no values in the baseline"
    if not window.count:
        return "no values"
    if window.count < rule.minimum_rows:
        return f"too few values: {window.count}, need {rule.minimum_rows}"
    if baseline.count < rule.minimum_rows:
        return f"too few values in the baseline: {baseline.count}, need {rule.minimum_rows}"
    if (
        baseline.counts is not None
        and len(baseline.counts) == 1
        and baseline.counts.keys() == (window.counts or {}).keys()
    ):
        return "constant"
    if not baseline.is_numeric and baseline.distinct > _IDENTIFIER_SHARE * baseline.count:
        return "nearly every value is another one, as in an identifier"
    return None


def _nulls_can_tell(feature: Feature) -> bool:
    return bool(feature.nulls.baseline_nulls + feature.nulls.window_nulls) and bool(
        feature.nulls.baseline_count + feature.nulls.window_count
    )


def _p_value(feature: Feature) -> float:
    tests: list[tuple[float, float]] = []
    if isinstance(feature.values, Numbers):
        tests += [
            (_NUMBER_WEIGHTS["location"], significance.location_test(feature.values)),
            (_NUMBER_WEIGHTS["shape"], significance.shape_test(feature.values)),
            (_NUMBER_WEIGHTS["spread"], significance.spread_test(feature.values)),
        ]
    elif isinstance(feature.values, Categories):
        tests += [
            (_LEVEL_WEIGHT, significance.level_test(feature.values)),
            (_LEVELS_WEIGHT, significance.levels_test(feature.values)),
        ]
    if _nulls_can_tell(feature):
        tests.append((_NULLS_WEIGHT, significance.nulls_test(feature.nulls)))
    total = sum(weight for weight, _ in tests)
    return min(1.0, min(p_value * total / weight for weight, p_value in tests))


def _scores(feature: Feature, rule: DriftRule) -> tuple[DriftScore, ...]:
    return tuple(
        DriftScore(
            metric=metric.name,
            score=metric.score(feature),
            threshold=rule.thresholds.get(metric.name, metric.default_threshold),
            error=metric.error(feature),
        )
        for metric in DRIFT_METRICS.values()
        if metric.applies(feature)
    )


def _moved_share(feature: Feature) -> float:
    """How much of the distribution lies elsewhere now: 0 nothing, 1 everything."""
    moved = abs(feature.nulls.change)
    if isinstance(feature.values, Numbers):
        before, after = feature.values.cumulative
        return max(moved, float(np.abs(before - after).max()))
    if isinstance(feature.values, Categories):
        levels = feature.values
        apart = np.abs(levels.baseline / levels.baseline.sum() - levels.window / levels.window.sum())
        return max(moved, float(apart.sum()) / 2)
    return moved


def _shift_sd(baseline: ColumnProfile, window: ColumnProfile, feature: Feature) -> float | None:
    if not isinstance(feature.values, Numbers):
        return None
    shift = (window.mean - baseline.mean) / feature.values.scale
    return shift if math.isfinite(shift) else None


def _judge_together(candidates: Sequence[_Candidate], rule: DriftRule) -> dict[str, FeatureDrift]:
    weights = [_weight(candidate, len(candidates), rule) for candidate in candidates]
    survive = _benjamini_hochberg(
        [candidate.p_value / weight for candidate, weight in zip(candidates, weights, strict=True)],
        rule.false_discovery_share,
    )
    judged = {}
    for candidate, weight, survives in zip(candidates, weights, survive, strict=True):
        destroyed = (
            candidate.moved_share >= rule.destroyed_share
            and candidate.p_value <= rule.destroyed_alarm_share / len(candidates)
        )
        matters = any(score.score - score.error > score.threshold for score in candidate.scores)
        drifted = destroyed or (survives and matters)
        alpha = rule.false_discovery_share * weight / len(candidates)
        judged[candidate.name] = _outcome(candidate, drifted, destroyed, _smallest_shift(candidate, alpha))
    return judged


def _weight(candidate: _Candidate, features: int, rule: DriftRule) -> float:
    """Mean 1 over the features; 1 for each when importances are unknown."""
    if candidate.importance_share is None:
        return 1.0
    return 1 - rule.importance_pull + rule.importance_pull * features * candidate.importance_share


def _benjamini_hochberg(p_values: Sequence[float], share: float) -> list[bool]:
    """Which hypotheses are rejected at this false discovery share."""
    order = np.argsort(p_values, kind="stable")
    ranked = np.asarray(p_values)[order]
    passing = np.flatnonzero(ranked <= share * np.arange(1, len(ranked) + 1) / len(ranked))
    rejected = np.zeros(len(ranked), dtype=bool)
    rejected[order[: passing[-1] + 1 if len(passing) else 0]] = True
    return [bool(value) for value in rejected]


def _outcome(candidate: _Candidate, drifted: bool, destroyed: bool, smallest: float | None) -> FeatureDrift:
    if drifted:
        verdict, reason = DriftVerdict.DRIFT, None
        sentence = sentence_of(candidate.name, candidate.feature, candidate.shift_sd, candidate.importance_share)
    elif candidate.why_values_are_skipped is not None:
        verdict, reason = DriftVerdict.SKIPPED, candidate.why_values_are_skipped
        sentence = f"`{candidate.name}`: {reason}"
    else:
        verdict, reason, sentence = DriftVerdict.OK, None, f"`{candidate.name}` is as it was"
    return FeatureDrift(
        feature=candidate.name,
        kind=candidate.kind,
        verdict=verdict,
        sentence=sentence,
        reason=reason,
        p_value=candidate.p_value,
        scores=candidate.scores,
        destroyed=destroyed,
        shift_sd=candidate.shift_sd,
        smallest_shift_sd=smallest,
        importance_share=candidate.importance_share,
    )


def _smallest_shift(candidate: _Candidate, alpha: float) -> float | None:
    """The shift that, alone, is found in POWER of such windows; never below the effect-size floor."""
    values = candidate.feature.values
    if values is None:
        return None
    error = math.sqrt(1 / float(values.baseline.sum()) + 1 / float(values.window.sum()))
    floor = min(score.threshold for score in candidate.scores if score.metric in ("wasserstein", "chi_square"))
    if isinstance(values, Categories):
        detectable = math.sqrt(_noncentrality(significance.degrees_of_freedom(values), alpha * _LEVELS_WEIGHT)) * error
    else:
        critical = -NormalDist().inv_cdf(alpha * _NUMBER_WEIGHTS["location"] / 2)
        detectable = (critical + _POWER_SD) * error
    return max(detectable, floor + _POWER_SD * error)


def _noncentrality(freedom: int, alpha: float) -> float:
    """Of the chi-square test found in POWER of samples, by the normal approximation of both distributions' cube roots.

    Critical value by Wilson and Hilferty (1931); the noncentral one has mean k + d and variance 2 (k + 2 d).
    """
    if freedom < 1:
        return math.inf
    spread = 2 / (9 * freedom)
    critical = freedom * (1 - spread - NormalDist().inv_cdf(alpha) * math.sqrt(spread)) ** 3
    # critical = k + d - z sqrt(2 (k + 2 d)), solved for d
    excess, z = critical - freedom, _POWER_SD
    return excess + 2 * z**2 + z * math.sqrt(4 * z**2 + 4 * excess + 2 * freedom)


def _overall(
    entries: tuple[FeatureDrift, ...], baseline: DatasetProfile, window: DatasetProfile, rule: DriftRule
) -> DriftJudgement:
    # The sentence names one feature: that on which most of the model rests, and not the one that moved furthest. What
    # moved far and hardly counts harms few answers. The heatmap and the page, which show all, go by the shift.
    drifted = sorted(
        (entry for entry in entries if entry.verdict is DriftVerdict.DRIFT),
        key=lambda entry: (-(entry.importance_share or 0.0), not entry.destroyed, entry.p_value or 0.0),
    )
    judged = [entry for entry in entries if entry.verdict is not DriftVerdict.SKIPPED]
    shifts = [entry.smallest_shift_sd for entry in judged if entry.smallest_shift_sd is not None]
    smallest = max(shifts, default=None)
    skipped = len(entries) - len(judged)
    if judged:
        verdict = DriftVerdict.DRIFT if drifted else DriftVerdict.OK
        sentence = overall_sentence(drifted, judged=len(judged), skipped=skipped, rows=window.rows, smallest=smallest)
    else:
        verdict, sentence = DriftVerdict.SKIPPED, "Not judged: no feature could be compared."
    return DriftJudgement(
        verdict=verdict,
        severity=_severity(drifted),
        sentence=sentence,
        rule=rule,
        false_alarm_share=rule.false_alarm_share,
        smallest_shift_sd=smallest,
        baseline_rows=baseline.rows,
        window_rows=window.rows,
        features=entries,
    )


def _severity(drifted: Sequence[FeatureDrift]) -> DriftSeverity:
    if not drifted:
        return DriftSeverity.NONE
    known = all(entry.importance_share is not None for entry in drifted)
    carried = sum(entry.importance_share or 0.0 for entry in drifted)
    if any(entry.destroyed for entry in drifted) or carried >= SEVERE_IMPORTANCE_SHARE:
        return DriftSeverity.SEVERE
    return DriftSeverity.MINOR if known and carried < MINOR_IMPORTANCE_SHARE else DriftSeverity.MAJOR


def _skipped(baseline: DatasetProfile | None, window: DatasetProfile, rule: DriftRule, why: str) -> DriftJudgement:
    return DriftJudgement(
        verdict=DriftVerdict.SKIPPED,
        severity=DriftSeverity.NONE,
        sentence=f"Not judged: {why}.",
        rule=rule,
        false_alarm_share=rule.false_alarm_share,
        smallest_shift_sd=None,
        baseline_rows=baseline.rows if baseline else 0,
        window_rows=window.rows,
        features=(),
    )
