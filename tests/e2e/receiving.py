"""Who is told of alerts: somebody's server that takes webhooks, and a subscriber of the topic."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.e2e.conftest import Bench


class Receiver:
    """Somebody else's server. It refuses what is about a model with that model's `refusals` first, then answers 204."""

    def __init__(self) -> None:
        self.received: list[tuple[dict[str, str], bytes]] = []
        self.refusals: dict[str | None, list[int]] = {}
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                waiting = receiver.refusals.get(json.loads(body)["data"].get("model"))
                status = waiting.pop(0) if waiting else 204
                if status == 204:
                    receiver.received.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(status)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def about(self, model: str, kind: str) -> list[tuple[dict[str, str], bytes]]:
        return [
            (headers, body)
            for headers, body in list(self.received)
            if json.loads(body)["data"].get("model") == model and json.loads(body)["data"]["kind"] == kind
        ]

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class Inbox(list[dict[str, Any]]):
    """The messages of a queue that subscribes to the topic of notifications."""

    def __init__(self, sqs: Any, queue: str) -> None:
        super().__init__()
        self._sqs, self._queue = sqs, queue

    def about(self, text: str) -> list[dict[str, Any]]:
        while True:
            messages = self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10).get("Messages", [])
            for message in messages:
                self.append(json.loads(message["Body"]))
                self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
            if not messages:
                return [message for message in self if text in message["Message"] or text in message["Subject"]]


def subscribed_inbox(bench: Bench) -> Inbox:
    sqs, sns = bench.session.client("sqs"), bench.session.client("sns")
    queue = sqs.create_queue(QueueName="inbox-of-alerts")["QueueUrl"]
    queue_arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    allow = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": queue_arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
    topic = bench.platform.settings.require("notifications_topic_arn")
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn)
    return Inbox(sqs, queue)
