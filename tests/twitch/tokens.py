"""Tokens and request budgets: which clients Twitch answers, and how often."""

import secrets
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.twitch.settings import Settings


@dataclass(eq=False)
class Token:
    """An app token, or a user's where `user_id` is given."""

    value: str = field(repr=False)
    client_id: str
    expires_at: datetime
    user_id: str | None = None
    scopes: tuple[str, ...] = ()
    refresh: str = field(default="", repr=False)


class Tokens:
    """All live tokens; the oldest app token of an application dies when it gets one too many."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._live: dict[str, Token] = {}
        self.issued = 0

    def issue(self, client_id: str, user_id: str | None = None, scopes: tuple[str, ...] = ()) -> Token:
        lifetime = timedelta(seconds=self._settings.token_lifetime)
        token = Token(
            value=secrets.token_hex(15),
            client_id=client_id,
            expires_at=self._settings.now() + lifetime,
            user_id=user_id,
            scopes=scopes,
            refresh=secrets.token_hex(25) if user_id else "",
        )
        self._live[token.value] = token
        self.issued += 1
        if user_id is None:
            apps = [old for old in self._live.values() if old.client_id == client_id and old.user_id is None]
            for old in apps[: -self._settings.live_tokens]:
                del self._live[old.value]
        return token

    def find(self, value: str) -> Token | None:
        token = self._live.get(value)
        return token if token is not None and token.expires_at > self._settings.now() else None

    def refreshed_by(self, refresh: str) -> Token | None:
        return next((token for token in self._live.values() if token.refresh and token.refresh == refresh), None)

    def revoke(self, value: str) -> None:
        self._live.pop(value, None)

    def revoke_apps(self) -> None:
        self._live = {value: token for value, token in self._live.items() if token.user_id is not None}


@dataclass
class _Bucket:
    points: float
    at: float


class Budgets:
    """A token bucket for each application, and for each user of it: https://dev.twitch.tv/docs/api/guide/#rate-limits."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._buckets: dict[tuple[str, str | None], _Bucket] = {}

    def take(self, token: Token) -> tuple[bool, dict[str, str]]:
        """Take a point; whether there was one, and the headers that tell of it."""
        size, now = self._settings.budget, time.monotonic()
        rate = size / self._settings.budget_seconds
        bucket = self._buckets.setdefault((token.client_id, token.user_id), _Bucket(size, now))
        bucket.points = min(size, bucket.points + (now - bucket.at) * rate)
        bucket.at = now
        allowed = bucket.points >= 1
        if allowed:
            bucket.points -= 1
        full_at = time.time() + (size - bucket.points) / rate
        return allowed, {
            "Ratelimit-Limit": str(size),
            "Ratelimit-Remaining": str(int(bucket.points)),
            "Ratelimit-Reset": str(int(full_at) + 1),
        }

    def spend(self) -> None:
        """Empty every bucket, as another program of the same application would."""
        for bucket in self._buckets.values():
            bucket.points, bucket.at = 0, time.monotonic()

    def refill(self) -> None:
        """Fill every bucket, as at the start."""
        self._buckets.clear()
