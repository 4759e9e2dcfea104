"""Metrics for Prometheus and whatever else reads OpenMetrics."""

from __future__ import annotations

import hashlib
from collections import Counter

from aws_lambda_powertools.event_handler import Response

from lambdas.api import openmetrics
from lambdas.api.openmetrics import Family, Sample, exposition
from lambdas.api.resource import Resource
from millrace import bootstrap
from millrace.bootstrap import Platform
from millrace.domain.alert import Alert, AlertState
from millrace.domain.model import CHAMPION
from millrace.domain.role import EVERYONE

resource = Resource("metrics")
_COUNTED = 100
EXAMPLE = "# TYPE millrace_datasets gauge\n# HELP millrace_datasets Datasets.\nmillrace_datasets 3.0\n# EOF\n"


@resource.endpoint("GET", "/metrics", allow=EVERYONE, example=EXAMPLE)
def get_metrics() -> Response[str]:
    """What there is, as OpenMetrics text: runs, versions, champions, alerts. Made for a scrape every minute."""
    platform = bootstrap.platform()
    samples = _counts(platform) | _alerts(platform) | _champions(platform)
    text = exposition(samples)
    etag = resource.unless_unchanged(hashlib.sha256(text.encode()).hexdigest()[:32])
    return Response(status_code=200, content_type=openmetrics.CONTENT_TYPE, body=text, headers={"ETag": etag})


def _counts(platform: Platform) -> dict[Family, list[Sample]]:
    tally = platform.tallies.now()
    return {
        openmetrics.DATASETS: [((), float(tally.datasets))],
        openmetrics.DATASET_VERSIONS: [((), float(tally.dataset_versions))],
        openmetrics.MODELS: [((), float(tally.models))],
        openmetrics.MODEL_VERSIONS: [((state,), float(count)) for state, count in sorted(tally.model_versions.items())],
        openmetrics.RUNS: [
            ((pipeline, state), float(count))
            for pipeline, states in sorted(tally.runs.items())
            for state, count in sorted(states.items())
        ],
    }


def _alerts(platform: Platform) -> dict[Family, list[Sample]]:
    found: list[Alert] = []
    for state in (AlertState.OPEN, AlertState.ACKNOWLEDGED, AlertState.SNOOZED):
        found += platform.alerts.page(state=state, limit=_COUNTED).items
    counts = Counter((str(alert.state), str(alert.kind)) for alert in found)
    return {
        openmetrics.ALERTS: [(labels, float(count)) for labels, count in sorted(counts.items())],
        openmetrics.BREACHES: [
            ((alert.alert_id, alert.title), float(alert.breaches)) for alert in found if alert.state is AlertState.OPEN
        ],
    }


def _champions(platform: Platform) -> dict[Family, list[Sample]]:
    models = platform.registry.page(limit=_COUNTED).items
    serving = {model.name: model.aliases[CHAMPION] for model in models if CHAMPION in model.aliases}
    champions = platform.registry.look_up(serving.items())
    return {
        openmetrics.CHAMPION: [((name,), float(number)) for name, number in serving.items()],
        openmetrics.CHAMPION_METRIC: [
            ((version.model, version.primary_metric), version.metrics[version.primary_metric].value)
            for version in champions.values()
        ],
        openmetrics.PENDING: [((model.name,), float(len(model.pending))) for model in models],
    }
