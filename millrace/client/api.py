"""The client itself: requests with their manners, and the few things that take more than one request."""

from __future__ import annotations

import json
import time
import urllib.parse
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from millrace.client import transport
from millrace.client.credentials import Credentials
from millrace.client.problems import NotFound, problem_of
from millrace.client.transfers import Sent, fetch_file, send_parts
from millrace.client.transport import Answer, Request, Send, Unreachable, check_address
from millrace.errors import PlatformError

Document = dict[str, Any]
ATTEMPTS = 4
LONGEST_WAIT_SECONDS = 30.0
# An arrival becomes a run within a moment; after that a run that is not there will not come.
ARRIVAL_SECONDS = 60.0
FINAL_STATES = ("SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")
BUSY = (429, 503)


class RunUnfinished(PlatformError):
    """The run goes on; the waiting has ended."""


@dataclass(frozen=True)
class Reply:
    """An answer. `poll_after`: seconds until asking again makes sense; None where nothing will change."""

    body: Any
    etag: str | None
    poll_after: float | None
    replayed: bool


class Client:
    """Speaks for whoever the credentials are of. Asks again by itself only where that cannot do a thing twice:

    GET, PUT and DELETE, and POST, which always carries an idempotency key; never predictions, which take none.
    """

    def __init__(
        self,
        api_url: str,
        credentials: Credentials,
        *,
        send: Send = transport.send,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = check_address(api_url)
        self._credentials = credentials
        self._send, self._sleep, self._clock = send, sleep, clock

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Mapping[str, Any] | None = None,
        if_match: str | None = None,
        idempotency_key: str | None = None,
        repeatable: bool = True,
    ) -> Reply:
        """One request. Raises Problem when it is refused, Unreachable when nothing answers.

        `path` begins with a slash and is quoted already (`at`). Entries of `query` that are None are left out.
        """
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if if_match is not None:
            headers["If-Match"] = if_match
        if method == "POST" and repeatable:
            headers["Idempotency-Key"] = idempotency_key or uuid4().hex
        asked = {name: value for name, value in (query or {}).items() if value is not None}
        url = f"{self._url}{self._credentials.prefix}{path}"
        url += f"?{urllib.parse.urlencode(asked, doseq=True)}" if asked else ""
        content = None if body is None else json.dumps(body).encode()
        answer = self._answer(Request(method, url, headers, content), repeatable)
        return Reply(
            body=json.loads(answer.content) if answer.content else None,
            etag=answer.headers.get("etag"),
            poll_after=_seconds(answer.headers.get("x-poll-after")),
            replayed=answer.headers.get("idempotent-replay") == "true",
        )

    def _answer(self, request: Request, repeatable: bool) -> Answer:
        renewed = False
        for attempt in range(1, ATTEMPTS + 1):
            headers = {**request.headers, "Authorization": f"Bearer {self._credentials.token()}"}
            try:
                answer = self._send(Request(request.method, request.url, headers, request.body))
            except Unreachable:
                if not repeatable or attempt == ATTEMPTS:
                    raise
                self._sleep(2.0**attempt)
                continue
            if answer.status == 401 and not renewed and self._credentials.renew():
                renewed = True
                continue
            if answer.status in BUSY and attempt < ATTEMPTS:
                asked = _seconds(answer.headers.get("retry-after"))
                self._sleep(min(asked if asked is not None else 2.0**attempt, LONGEST_WAIT_SECONDS))
                continue
            break
        if answer.status >= 300:
            raise problem_of(answer)
        return answer

    def get(self, path: str, **query: Any) -> Any:
        return self.request("GET", path, query=query).body

    def items(self, path: str, **query: Any) -> Iterator[Document]:
        """Everything of a list, page by page as it is used. A page may be empty and still have a next one."""
        cursor: str | None = None
        while True:
            page = self.get(path, **query, cursor=cursor)
            yield from page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def datasets(self) -> Iterator[Document]:
        return self.items("/datasets")

    def dataset_versions(self, dataset: str) -> Iterator[Document]:
        return self.items(at("datasets", dataset, "versions"))

    def configure_dataset(self, dataset: str, settings: Mapping[str, Any]) -> Document:
        """Make the dataset with these settings, or change them where there is one."""
        try:
            self.get(at("datasets", dataset))
        except NotFound:
            return self._post("/datasets", {"name": dataset, "settings": dict(settings)})
        return dict(self.request("PATCH", at("datasets", dataset), dict(settings)).body)

    def upload(self, file: Path, dataset: str, *, upload_id: str | None = None, sent: Sent = lambda _: None) -> str:
        """Send a file as a new version; with an `upload_id`, go on with one that was interrupted.

        Returns the id of the run that makes a version of it. Raises UploadInterrupted, which names the upload's id.
        """
        uploads = at("datasets", dataset, "uploads")
        if upload_id is None:
            ticket = self._post(uploads, {"file_name": file.name, "size_bytes": file.stat().st_size})
        else:
            ticket = dict(self.get(at("datasets", dataset, "uploads", upload_id)))
        here = at("datasets", dataset, "uploads", ticket["upload_id"])
        send_parts(file, ticket, ask_again=lambda: dict(self.get(here)), send=self._send, sent=sent)
        return str(self._post(f"{here}/complete")["run_id"])

    def runs(self, **filters: Any) -> Iterator[Document]:
        """Newest first. Filters are those of GET /runs: `state`, `pipeline`, `dataset`, …"""
        return self.items("/runs", **filters)

    def run(self, run_id: str) -> Document:
        return dict(self.get(at("runs", run_id)))

    def wait_for_run(
        self, run_id: str, *, seconds: float = 3600.0, seen: Callable[[Document], None] = lambda _: None
    ) -> Document:
        """The run once it has ended, however it ended; `seen` is told each time it was looked at.

        Asks as often as the API says makes sense. Raises RunUnfinished after `seconds`, NotFound when there is none.
        """
        started = self._clock()
        while True:
            waited = self._clock() - started
            pause = 1.0
            try:
                reply = self.request("GET", at("runs", run_id))
                seen(reply.body)
                if reply.body["state"] in FINAL_STATES:
                    return dict(reply.body)
                pause = reply.poll_after or pause
            except NotFound:
                if waited > min(seconds, ARRIVAL_SECONDS):
                    raise
            if waited > seconds:
                raise RunUnfinished(f"{run_id} still runs after {seconds:.0f} s")
            self._sleep(pause)

    def start_training(
        self, dataset: str, *, version: int | None = None, reason: str = "", choices: Document | None = None
    ) -> Document:
        """The run. `choices` are what it does otherwise than `settings.training` of its dataset."""
        body: Document = {"dataset": dataset, "reason": reason}
        chosen = {"dataset_version": version, "training": choices}
        return self._post("/training/start", body | {name: value for name, value in chosen.items() if value})

    def models(self) -> Iterator[Document]:
        return self.items("/models")

    def model_versions(self, model: str) -> Iterator[Document]:
        return self.items(at("models", model, "versions"))

    def model_version(self, version: str) -> Reply:
        """`version` as `churn:7`. Give the reply's `etag` to a decision, and it counts only for what you have seen."""
        return self.request("GET", at("models", version, "detail"))

    def approve(self, version: str, reason: str, *, if_match: str | None = None) -> Document:
        return self._decide("approve", version, reason, if_match)

    def reject(self, version: str, reason: str, *, if_match: str | None = None) -> Document:
        return self._decide("reject", version, reason, if_match)

    def deploy_again(self, version: str, reason: str) -> Document:
        """The run that deploys an approved version once more. Wait for it as for any run."""
        return self._post(at("models", version, "deploy"), {"reason": reason})

    def _decide(self, decision: str, version: str, reason: str, if_match: str | None) -> Document:
        path = at("models", version, decision)
        return dict(self.request("PUT", path, {"reason": reason}, if_match=if_match).body)

    def predict(
        self,
        model: str,
        rows: Sequence[Mapping[str, Any]],
        *,
        record_ids: Sequence[str] | None = None,
        explain: bool = False,
    ) -> Document:
        """Predictions of the champion. A repeated request leaves the same records only where `record_ids` name them."""
        body: Document = {"model": model, "rows": [dict(row) for row in rows], "explain": explain}
        if record_ids is not None:
            body["record_ids"] = list(record_ids)
        return dict(self.request("POST", "/inference/predict", body, repeatable=False).body)

    def predict_file(self, model: str, file: Path, *, reason: str = "", sent: Sent = lambda _: None) -> Document:
        """Send a file and start a batch inference of its rows. Wait for it as for any run, by its `job_id`."""
        new = {"model": model, "file_name": file.name, "size_bytes": file.stat().st_size}
        ticket = self._post("/inference/batch/uploads", new)
        here = at("datasets", model, "uploads", ticket["upload_id"])
        send_parts(file, ticket, ask_again=lambda: dict(self.get(here)), send=self._send, sent=sent)
        body = {"model": model, "input": {"upload_id": ticket["upload_id"]}, "reason": reason}
        return self._post("/inference/batch", body)

    def batch_results(self, job_id: str) -> Document:
        """Where to download the results of a batch inference that SUCCEEDED, for five minutes."""
        return dict(self.get(at("inference", "batch", job_id, "results")))

    def save_batch_results(self, job_id: str, file: Path) -> None:
        """Download the results of a batch inference that SUCCEEDED, as CSV."""
        addresses = [each["address"] for each in self.batch_results(job_id)["files"] if each["format"] == "csv"]
        fetch_file(addresses[0], file, send=self._send)

    def _post(self, path: str, body: Any = None) -> Document:
        return dict(self.request("POST", path, body).body)


def at(*parts: str) -> str:
    """A path. What a part has of slashes is quoted: a name never leads elsewhere."""
    return "".join(f"/{urllib.parse.quote(part, safe=':')}" for part in parts)


def _seconds(header: str | None) -> float | None:
    """Seconds of a header; None without one, or when it says a date."""
    try:
        return max(0.0, float(header)) if header else None
    except ValueError:
        return None
