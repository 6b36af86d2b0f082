"""The token of our own application at Twitch: one for all workers, renewed once when it dies.

https://dev.twitch.tv/docs/authentication/getting-tokens-oauth/#client-credentials-grant-flow: an application may hold
25 live tokens, and each new one beyond that kills the oldest. So one is kept in Redis, encrypted, and leaves there when
it ends at Twitch; no clock of ours decides that. Errors of the token address carry no `error`, only a `message`.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Protocol
from urllib.parse import urlencode

import msgspec
from pydantic import SecretStr
from redis import Redis
from redis.exceptions import LockError

from models.vault import Vault, VaultError
from pipeline.errors import SourceChanged, SourceRefused, SourceUnavailable
from pipeline.fetch.http import Client, Reply
from pipeline.fetch.limiter import redis_answers
from pipeline.fetch.shapes import UNREADABLE, Token, clean
from pipeline.services.twitch.sign_in import FORM

CONSOLE = "https://dev.twitch.tv/console"
PURPOSE = "the token of our application at Twitch"
# A token lasts about 60 days. It is renewed a day before its end, a short-lived one when a tenth of its time is left.
RENEW_BEFORE_END = timedelta(days=1)
RENEW_WITH_SHARE_LEFT = 10
# Wrong credentials stay wrong until a person changes them; then they are other credentials, and tried at once.
REFUSALS = (400, 401, 403)
REFUSED_FOR = timedelta(minutes=5)
LOCK_FOR = timedelta(seconds=90)
# Twitch and IGDB are asked by one process each, and want one token: where its address is slow, it holds only the
# process that asks there.
WAIT_FOR_LOCK = timedelta(seconds=5)
LOOK_EVERY = 0.03


class AppToken(msgspec.Struct, frozen=True):
    """The application and the token that a request to Helix shows; its repr does not show the token."""

    client_id: str
    token: str

    def __repr__(self) -> str:
        return f"AppToken(client_id={self.client_id!r})"

    def headers(self) -> dict[str, str]:
        """Return the headers that identify a request."""
        return {"Authorization": f"Bearer {self.token}", "Client-Id": self.client_id}


class AppTokens(Protocol):
    """Where tokens of an application come from."""

    def current(self, client: Client) -> AppToken:
        """Return a token to ask with; raises `SourceError`."""

    def renew(self, client: Client, refused: AppToken) -> AppToken:
        """Return another token after this one was refused; raises `SourceError`."""


class _Granted(msgspec.Struct, frozen=True):
    access_token: Token
    expires_in: int

    def __repr__(self) -> str:
        return "Granted(…)"


class _Kept(msgspec.Struct, frozen=True):
    """A token as it is kept, with how much of its time is left."""

    token: AppToken
    ends_soon: bool


class _Refused(msgspec.Struct, frozen=True):
    """That these credentials were refused, and why."""

    credentials: str
    reason: str
    status: int


class _ErrorBody(msgspec.Struct):
    message: str | None = None


class SharedAppTokens:
    """The one token of an application, for every worker that uses this Redis."""

    def __init__(
        self, redis: Redis, open_vault: Callable[[], Vault], auth_url: str, client_id: str, client_secret: SecretStr
    ) -> None:
        self._redis = redis
        self._open_vault = open_vault
        self._auth_url = auth_url
        self._client_id = client_id
        self._secret = client_secret
        self._key = f"lootwire:twitch:{{{client_id}}}:app_token"
        self._lock_key, self._refused_key = f"{self._key}:lock", f"{self._key}:refused"

    def __repr__(self) -> str:
        return f"SharedAppTokens(client_id={self._client_id!r})"

    def current(self, client: Client) -> AppToken:
        """Return the token, a new one where there is none or where its end is near.

        Raises `SourceRefused` that says which setting is wrong, or `SourceUnavailable`.
        """
        kept = self._load()
        if kept is None:
            return self._replaced(client, instead_of=None)
        if kept.ends_soon:
            # It still serves while Twitch gives no other.
            with suppress(SourceUnavailable):
                return self._replaced(client, instead_of=kept.token)
        return kept.token

    def renew(self, client: Client, refused: AppToken) -> AppToken:
        """Return another token after Twitch refused this one: the one that a faster worker fetched, or a new one."""
        return self._replaced(client, instead_of=refused)

    def _replaced(self, client: Client, *, instead_of: AppToken | None) -> AppToken:
        with self._one_at_a_time():
            kept = self._load()
            if kept is not None and kept.token != instead_of:
                return kept.token
            return self._fetch(client)

    @contextmanager
    def _one_at_a_time(self) -> Iterator[None]:
        with redis_answers(PURPOSE):
            self._forget_of_the_future(self._lock_key, LOCK_FOR)
            lock = self._redis.lock(self._lock_key, timeout=LOCK_FOR.total_seconds(), sleep=LOOK_EVERY)
            if not lock.acquire(blocking_timeout=WAIT_FOR_LOCK.total_seconds()):
                wait = timedelta(seconds=30)
                raise SourceUnavailable("another worker is still asking Twitch for a token", retry_after=wait)
        try:
            yield
        finally:
            # A lock that ended by itself, or with Redis, needs no release.
            with suppress(LockError, SourceUnavailable), redis_answers(PURPOSE):
                lock.release()

    def _forget_of_the_future(self, key: str, longest: timedelta) -> None:
        """Delete a key that lives longer than it was given: the clock of Redis was set back since."""
        if self._redis.pttl(key) > longest / timedelta(milliseconds=1):
            self._redis.delete(key)

    def _load(self) -> _Kept | None:
        with redis_answers(PURPOSE), self._redis.pipeline() as both:
            both.get(self._key)
            both.pttl(self._key)
            encrypted, left = both.execute()
        if encrypted is None:
            return None
        try:
            granted = msgspec.json.decode(self._vault().decrypt(encrypted), type=_Granted)
        except (VaultError, *UNREADABLE):
            return None  # of another key file: a new one takes its place
        share = timedelta(seconds=granted.expires_in) / RENEW_WITH_SHARE_LEFT
        # One that lives longer than Twitch gave it: the clock of Redis was set back since.
        is_doubtful = timedelta(milliseconds=left) > timedelta(seconds=granted.expires_in)
        ends_soon = is_doubtful or timedelta(milliseconds=left) < min(RENEW_BEFORE_END, share)
        return _Kept(AppToken(self._client_id, granted.access_token), ends_soon)

    def _fetch(self, client: Client) -> AppToken:
        self._check_not_refused()
        secret = self._secret.get_secret_value()
        form = {"client_id": self._client_id, "client_secret": secret, "grant_type": "client_credentials"}
        url = f"{self._auth_url}/token"
        reply = client.ask("POST", url, headers={}, body=urlencode(form).encode(), content_type=FORM)
        if reply.status != 200:
            raise self._refusal(reply)
        granted = _decode(reply)
        encrypted = self._vault().encrypt(msgspec.json.encode(granted).decode())
        with redis_answers(PURPOSE):
            self._redis.set(self._key, encrypted, ex=max(granted.expires_in, 1))
        return AppToken(self._client_id, granted.access_token)

    def _check_not_refused(self) -> None:
        with redis_answers(PURPOSE):
            self._forget_of_the_future(self._refused_key, REFUSED_FOR)
            remembered = self._redis.get(self._refused_key)
        if remembered is None:
            return
        refused = msgspec.json.decode(remembered, type=_Refused)
        if refused.credentials == self._fingerprint():
            raise SourceRefused(refused.reason, status=refused.status)

    def _refusal(self, reply: Reply) -> SourceRefused | SourceUnavailable | SourceChanged:
        """Return the error, and remember a refusal so that not every worker asks again and again."""
        text = _error_text(reply)
        if reply.status == 429:
            return SourceUnavailable("Twitch gives no token now (429)", status=429, retry_after=timedelta(minutes=1))
        if reply.status not in REFUSALS:
            asked = f"{self._auth_url}/token answered {reply.status}"
            return SourceChanged(f"{asked}, which says nothing of a token: is LOOTWIRE_TWITCH_AUTH_URL right?")
        error = SourceRefused(_advice(text), status=reply.status)
        refused = _Refused(self._fingerprint(), str(error), reply.status)
        with redis_answers(PURPOSE):
            self._redis.set(self._refused_key, msgspec.json.encode(refused), ex=REFUSED_FOR)
        return error

    def _fingerprint(self) -> str:
        """Return a digest that differs from that of other credentials, and does not show them."""
        credentials = f"{self._client_id}\n{self._secret.get_secret_value()}".encode()
        return hashlib.blake2b(credentials, digest_size=16, person=b"lootwire token").hexdigest()

    def _vault(self) -> Vault:
        try:
            return self._open_vault()
        except VaultError as error:
            raise SourceRefused(str(error)) from None


def _decode(reply: Reply) -> _Granted:
    try:
        return msgspec.json.decode(reply.body, type=_Granted)
    except UNREADABLE:
        # Neither the answer nor the error that quotes it: it may hold a token.
        raise SourceChanged("Twitch's answer with the token of our application has an unknown shape") from None


def _error_text(reply: Reply) -> str:
    try:
        message = msgspec.json.decode(reply.body, type=_ErrorBody).message
    except UNREADABLE:
        message = None
    return (clean(message) or f"status {reply.status}")[:100]


def _advice(text: str) -> str:
    """Return a refusal's text with advice for the person who can cure it."""
    if "secret" in text:
        wanted = f"TWITCH_CLIENT_SECRET is not the secret of that application; make a new one at {CONSOLE} and set it"
    elif "client" in text:
        wanted = f"TWITCH_CLIENT_ID must be the client id of an application at {CONSOLE}"
    else:
        wanted = f"check TWITCH_CLIENT_ID and TWITCH_CLIENT_SECRET at {CONSOLE}"
    return f"Twitch gives our application no token ({text}): {wanted}"
