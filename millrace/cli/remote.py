"""How a command gets a client: from whoever signed in before, and on the local platform by itself."""

from __future__ import annotations

import json
import re
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import typer

from millrace.cli import checkout, signing_in
from millrace.cli.demo import PERSON
from millrace.cli.deployment import LOCAL_STATE
from millrace.cli.signing_in import Deployment, Tokens
from millrace.client import ApiKey, Client, Send, send
from millrace.errors import InvalidInput, NotFound, NotSignedIn

# Renew a little before the end, so that no request leaves with a token that ends on the way.
EARLY_SECONDS = 30.0


@dataclass(frozen=True)
class Kept:
    """What is kept of a sign-in. Either `api_key`, or tokens; `expires_at` in seconds since 1970."""

    url: str
    api_url: str
    client_id: str = ""
    token_endpoint: str = ""
    api_key: str = ""
    access_token: str = ""
    refresh_token: str = ""
    expires_at: float = 0.0


def kept_key(deployment: Deployment, key: str) -> Kept:
    return Kept(url=deployment.url, api_url=deployment.api_url, api_key=key)


def kept_tokens(deployment: Deployment, tokens: Tokens, *, now: float) -> Kept:
    return Kept(
        url=deployment.url,
        api_url=deployment.api_url,
        client_id=deployment.client_id,
        token_endpoint=deployment.token_endpoint,
        access_token=tokens.access,
        refresh_token=tokens.refresh or "",
        expires_at=now + tokens.lives_seconds,
    )


class SignInFile:
    """One file that its owner alone can read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> Kept | None:
        return Kept(**json.loads(self.path.read_text())) if self.path.is_file() else None

    def write(self, kept: Kept) -> None:
        """Whole or not at all, and never readable by others, not even for a moment."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = self.path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        fresh.touch(mode=0o600, exist_ok=False)
        fresh.write_text(json.dumps(asdict(kept)))
        fresh.replace(self.path)

    def forget(self) -> None:
        self.path.unlink(missing_ok=True)


class PersonTokens:
    """Credentials that renew themselves, and keep what they renewed."""

    prefix = ""

    def __init__(self, file: SignInFile, kept: Kept, send: Send) -> None:
        self._file, self._kept, self._send = file, kept, send

    def token(self) -> str:
        if time.time() > self._kept.expires_at - EARLY_SECONDS:
            self.renew()
        return self._kept.access_token

    def renew(self) -> bool:
        """Raises NotSignedIn when the pool gives no more tokens: the sign-in has ended."""
        if not self._kept.refresh_token:
            raise NotSignedIn("your sign-in has ended: millrace login")
        form = {
            "grant_type": "refresh_token",
            "client_id": self._kept.client_id,
            "refresh_token": self._kept.refresh_token,
        }
        try:
            tokens = signing_in.exchange(self._kept.token_endpoint, form, self._send)
        except NotSignedIn as ended:
            raise NotSignedIn(f"your sign-in has ended ({ended}): millrace login") from ended
        renewed = {
            **asdict(self._kept),
            "access_token": tokens.access,
            "refresh_token": tokens.refresh or self._kept.refresh_token,
            "expires_at": time.time() + tokens.lives_seconds,
        }
        self._kept = Kept(**renewed)
        self._file.write(self._kept)
        return True


def sign_in_file(environment: str, root: Path) -> SignInFile:
    """In the user's settings; of the local platform beside its state, because it ends with it."""
    if not re.fullmatch(r"[a-z0-9-]{1,40}", environment):
        raise InvalidInput(f"{environment!r} is not the name of an environment")
    if environment == checkout.ENVIRONMENT:
        return SignInFile(root / LOCAL_STATE / "sign-in.json")
    return SignInFile(Path(typer.get_app_dir("millrace")) / "sign-ins" / f"{environment}.json")


def known_url(environment: str, root: Path) -> str:
    """Where the dashboard is: as at the last sign-in, or as the local platform says. Raises NotFound."""
    if environment == checkout.ENVIRONMENT:
        return str(checkout.dashboard(root)["url"])
    kept = sign_in_file(environment, root).read()
    if kept is None:
        raise NotFound(f"nobody signed in to {environment!r} before: say where its dashboard is with --url https://…")
    return kept.url


def client_of(environment: str, root: Path, *, send: Send = send) -> Client:
    """A client that speaks for who signed in. The local platform's demo person signs in by itself, when nobody did.

    Raises NotSignedIn, which says how to.
    """
    file = sign_in_file(environment, root)
    kept = file.read()
    if environment == checkout.ENVIRONMENT and _stale(kept, root):
        kept = _sign_in_locally(file, root, send)
    if kept is None:
        raise NotSignedIn(f"nobody is signed in to {environment!r}: millrace login --url https://… (its dashboard)")
    return client_for(kept, file, send=send)


def client_for(kept: Kept, file: SignInFile, *, send: Send = send) -> Client:
    """A client that speaks for a sign-in, which may not be kept yet. What is renewed of it is kept in `file`."""
    credentials = ApiKey(kept.api_key) if kept.api_key else PersonTokens(file, kept, send)
    return Client(kept.api_url, credentials, send=send)


def _stale(kept: Kept | None, root: Path) -> bool:
    if kept is None or kept.url != known_url(checkout.ENVIRONMENT, root):
        return True
    return not kept.api_key and time.time() > kept.expires_at - EARLY_SECONDS


def _sign_in_locally(file: SignInFile, root: Path, send: Send) -> Kept:
    known = checkout.dashboard(root)
    deployment = signing_in.find_deployment(known["url"], send)
    person = next((each for each in known["people"] if each["name"] == PERSON), None)
    if person is None:
        raise NotFound(f"the local platform has no {PERSON}: start it again with millrace up")
    tokens = signing_in.sign_in_by_form(deployment, send, name=person["name"], password=person["password"])
    kept = kept_tokens(deployment, tokens, now=time.time())
    file.write(kept)
    return kept
