"""The Grafana dashboard over `GET /metrics`: a panel for each metric of the endpoint. Written by `make contracts`."""

from __future__ import annotations

import json
from typing import Any

from lambdas.api.openmetrics import FAMILIES, Family

_COLUMNS, _WIDTH, _HEIGHT = 3, 8, 8
_SOURCE = {"type": "prometheus", "uid": "${datasource}"}


def grafana_text() -> str:
    """Grafana's JSON model, to be imported with a Prometheus data source that scrapes the endpoint."""
    return json.dumps(_dashboard(), indent=2, ensure_ascii=False) + "\n"


def _dashboard() -> dict[str, Any]:
    variable = {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus"}
    return {
        "title": "Millrace",
        "uid": "millrace",
        "schemaVersion": 39,
        "tags": ["millrace"],
        "refresh": "1m",
        "time": {"from": "now-7d", "to": "now"},
        "templating": {"list": [variable]},
        "panels": [_panel(position, family) for position, family in enumerate(FAMILIES)],
    }


def _panel(position: int, family: Family) -> dict[str, Any]:
    legend = " ".join(f"{{{{{label}}}}}" for label in family.labels) or family.help.rstrip(".")
    expression = f"max by ({', '.join(family.labels)}) ({family.name})" if family.labels else f"max({family.name})"
    place = {"x": position % _COLUMNS * _WIDTH, "y": position // _COLUMNS * _HEIGHT, "w": _WIDTH, "h": _HEIGHT}
    return {
        "id": position + 1,
        "title": family.help.rstrip("."),
        "type": "timeseries",
        "datasource": _SOURCE,
        "gridPos": place,
        "targets": [{"refId": "A", "datasource": _SOURCE, "expr": expression, "legendFormat": legend}],
    }
