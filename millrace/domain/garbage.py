"""Which objects of the artifacts bucket nobody needs any more. Whatever is not known to be garbage is kept."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from millrace import names
from millrace.domain.place import split_uri

_OF_VERSION = re.compile(rf"{names.MODELS_PREFIX}([^/]+)/v([1-9][0-9]*)/.+")
_OF_RUN = re.compile(rf"{names.RUNS_PREFIX}([^/]+)/.+")


class Needs(NamedTuple):
    """What must stay. `addresses` are objects that registered versions name, wherever they lie.

    `versions` are registered; of `busy_models` a run is going on, which may have claimed a number and copied already.
    """

    versions: frozenset[tuple[str, int]]
    addresses: frozenset[str]
    open_runs: frozenset[str]
    busy_models: frozenset[str]


def version_of(uri: str) -> tuple[str, int] | None:
    """The model version below whose prefix the object lies."""
    found = _OF_VERSION.fullmatch(split_uri(uri)[1])
    return (found[1], int(found[2])) if found else None


def run_of(uri: str) -> str | None:
    """The run that made the object for its own use."""
    found = _OF_RUN.fullmatch(split_uri(uri)[1])
    return found[1] if found else None


def beside(addresses: Iterable[str]) -> frozenset[str]:
    """The folders of these objects: a version's files lie together, and one names the others."""
    return frozenset(address.rpartition("/")[0] + "/" for address in addresses)


def why_garbage(uri: str, needs: Needs) -> str | None:
    """The reason why nobody needs the object; None when somebody does, or nobody can tell."""
    if any(uri.startswith(folder) for folder in beside(needs.addresses)):
        return None
    version, run = version_of(uri), run_of(uri)
    if version is not None:
        model, number = version
        if version in needs.versions or model in needs.busy_models:
            return None
        return f"version {number} of {model} was never registered"
    if run is not None and run not in needs.open_runs:
        return f"run {run} has ended, and no registered version lies there"
    return None
