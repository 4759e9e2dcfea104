"""Drift: metrics one file each, and the calibrated decision. A new metric is its file and its line here."""

from __future__ import annotations

from millrace.analytics.drift import (
    chi_square,
    g_test,
    jensen_shannon,
    kolmogorov_smirnov,
    new_categories,
    null_share,
    psi,
    wasserstein,
)

DRIFT_METRICS = {
    metric.name: metric
    for metric in (
        wasserstein.METRIC,
        kolmogorov_smirnov.METRIC,
        psi.METRIC,
        jensen_shannon.METRIC,
        chi_square.METRIC,
        g_test.METRIC,
        new_categories.METRIC,
        null_share.METRIC,
    )
}
