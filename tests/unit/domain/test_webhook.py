"""Signatures that any receiver of Standard Webhooks can check."""

from __future__ import annotations

import base64
import hashlib
import hmac

from millrace.domain.webhook import new_secret, signature, signed_headers
from tests.builders import NOON

# The example of the Standard Webhooks specification and its reference libraries.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MESSAGE = "msg_p5jXN8AQM9LWM0D4loKWxJek"
BODY = b'{"test": 2432232314}'


def test_the_specifications_example_comes_out() -> None:
    assert signature(SECRET, MESSAGE, 1614265330, BODY) == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_receiver_who_computes_it_by_hand_gets_the_same() -> None:
    secret = new_secret()
    headers = signed_headers(secret, MESSAGE, NOON, BODY)

    signed = b".".join([headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), BODY])
    expected = hmac.new(base64.b64decode(secret.removeprefix("whsec_")), signed, hashlib.sha256).digest()
    assert headers["webhook-signature"] == "v1," + base64.b64encode(expected).decode()
    assert headers["webhook-timestamp"] == str(int(NOON.timestamp()))


def test_secrets_differ_and_are_long() -> None:
    assert len({new_secret() for _ in range(50)}) == 50
    assert len(base64.b64decode(new_secret().removeprefix("whsec_"))) == 32


def test_another_body_time_or_id_is_another_signature() -> None:
    signatures = {
        signature(SECRET, MESSAGE, 1, BODY),
        signature(SECRET, MESSAGE, 2, BODY),
        signature(SECRET, "msg_2", 1, BODY),
        signature(SECRET, MESSAGE, 1, BODY + b" "),
    }

    assert len(signatures) == 4
