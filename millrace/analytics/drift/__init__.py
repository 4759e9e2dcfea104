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

# In this order in reports: the first that applies is the feature's score, and grows with the shift.
DRIFT_METRICS = {
    metric.name: metric
    for metric in (
        wasserstein.METRIC,
        chi_square.METRIC,
        kolmogorov_smirnov.METRIC,
        psi.METRIC,
        jensen_shannon.METRIC,
        g_test.METRIC,
        new_categories.METRIC,
        null_share.METRIC,
    )
}
