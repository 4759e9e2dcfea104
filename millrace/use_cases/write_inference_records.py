"""Write queued inference records where monitoring reads them, observations of rollouts where those are judged.

What was asked is counted beside: how many requests, and how long answers took.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from millrace.domain import place
from millrace.domain.traffic import EVERY_MODEL, Asked, counts_of, hour_of
from millrace.errors import InvalidInput
from millrace.ports import ObjectStore, Traffic

CONTENT_TYPE = "application/jsonl"


class Message(NamedTuple):
    """One message of the queue; `body` is a list of records as JSON."""

    id: str
    body: str


class Place(NamedTuple):
    """`run_id` is that of a rollout, for an observation."""

    model: str
    day: str
    run_id: str | None


def write_inference_records(
    *, store: ObjectStore, traffic: Traffic, data_bucket: str, messages: Sequence[Message]
) -> dict[str, str]:
    """The ids of the messages that could not be written, each with the reason; they come again.

    Records are put by model and day, observations (they name the run whose rollout they belong to) by that run.
    An object is named after the messages it holds, so the same delivery twice is one object. A message that comes
    again in other company is written twice: readers tell records apart by `record_id`. In traffic it counts twice, too.
    """
    failed: dict[str, str] = {}
    lines: dict[Place, list[str]] = defaultdict(list)
    sources: dict[Place, set[str]] = defaultdict(set)
    requests: dict[str, list[Asked]] = {}
    for message in messages:
        try:
            told = json.loads(message.body)
            records = [_placed(record) for record in told if "asked" not in record]
            asked = [_request(record) for record in told if "asked" in record]
        except (ValueError, KeyError, TypeError, InvalidInput) as error:
            failed[message.id] = f"it holds no inference records: {error!r}"
            continue
        requests[message.id] = asked
        for key, line in records:
            lines[key].append(line)
            sources[key].add(message.id)
    for key, written in lines.items():
        try:
            store.write(_address(data_bucket, key, sources[key]), _body(written), content_type=CONTENT_TYPE)
        except Exception as error:  # whatever the store says, the others are still written, and these come again
            failed |= dict.fromkeys(sources[key], repr(error))
    return failed | _count(traffic, {id: asked for id, asked in requests.items() if id not in failed})


def _count(traffic: Traffic, requests: Mapping[str, Sequence[Asked]]) -> dict[str, str]:
    """Add what was asked to its hours; the ids of the messages of which that failed, each with the reason."""
    counted: dict[tuple[str, datetime], list[Asked]] = defaultdict(list)
    sources: dict[tuple[str, datetime], set[str]] = defaultdict(set)
    for message_id, asked in requests.items():
        for each in asked:
            for name in (each.model, EVERY_MODEL):
                counted[name, hour_of(each.at)].append(each)
                sources[name, hour_of(each.at)].add(message_id)
    failed: dict[str, str] = {}
    for (model, hour), found in counted.items():
        try:
            traffic.add(model, hour, counts_of(found), delivery=_name(sources[model, hour]))
        except Exception as error:  # whatever the registry says, the others still count, and these come again
            failed |= dict.fromkeys(sources[model, hour], repr(error))
    return failed


def _request(record: Mapping[str, Any]) -> Asked:
    told = {name: record[name] for name in Asked.model_fields}
    return Asked.model_validate(told | {"model": place.check_name(told["model"])})


def _placed(record: dict[str, Any]) -> tuple[Place, str]:
    """Where a record belongs, and the record as a line."""
    model, day = place.check_name(record["model"]), record["at"][:10]
    run_id = record.get("observation")
    where = Place(model, day, run_id and place.check_name(run_id))
    return where, json.dumps(record, ensure_ascii=False)


def _address(bucket: str, where: Place, message_ids: set[str]) -> str:
    name = _name(message_ids)
    if where.run_id:
        return place.rollout_observations_uri(bucket, where.model, where.run_id, name)
    return place.inference_records_uri(bucket, where.model, where.day, name)


def _name(message_ids: set[str]) -> str:
    return hashlib.sha256("\n".join(sorted(message_ids)).encode()).hexdigest()[:24]


def _body(lines: Sequence[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()
