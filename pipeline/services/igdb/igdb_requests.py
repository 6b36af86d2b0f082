"""One request to IGDB: in our application's name, within the limit that all workers share, refusals as our errors.

https://api-docs.igdb.com/: 4 requests a second and 8 open ones; the token is the one that Twitch gives our application.
An error of 400 is a list that names the cause, 403 is the block of the front, whose page shows a number.
"""

import functools
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta

import msgspec
from redis import Redis, RedisError

from pipeline.errors import SourceChanged, SourceRefused, SourceUnavailable
from pipeline.fetch.http import Client, Reply, parse_retry_after
from pipeline.fetch.limiter import RateLimiter, redis_answers
from pipeline.fetch.shapes import UNREADABLE, clean
from pipeline.services.twitch.app_token import CONSOLE, AppTokens

REQUESTS, PER, MOST_OPEN = 4, timedelta(seconds=1), 8
# A 429 although we keep to the limit: another program uses the same application. It may need a while.
HOLD_OFF = timedelta(seconds=1)
RATE_LIMITED_ROUNDS = 4
QUERY, FORM = "text/plain", "application/x-www-form-urlencoded"
_TAGS = re.compile(r"<[^>]*>")
# KEYS: requests by minute. ARGV: 1 to count one more. Returns how many the last sixty minutes held.
_COUNT = """
local minute = math.floor(redis.call('TIME')[1] / 60)
if ARGV[1] == '1' then
    redis.call('HINCRBY', KEYS[1], minute, 1)
    redis.call('EXPIRE', KEYS[1], 7200)
end
local total, counts = 0, redis.call('HGETALL', KEYS[1])
for at = 1, #counts, 2 do
    if tonumber(counts[at]) > minute - 60 then
        total = total + counts[at + 1]
    else
        redis.call('HDEL', KEYS[1], counts[at])
    end
end
return total
"""


class QueryRejected(SourceChanged):
    """IGDB did not accept a query or a form (400, 404, ...); `cause` is its text."""

    def __init__(self, message: str, *, cause: str, payload: bytes, status: int) -> None:
        super().__init__(message, payload=payload, status=status)
        self.cause = cause


class TimedReply(msgspec.Struct, frozen=True):
    """A reply, and when its request was sent."""

    reply: Reply
    asked_at: datetime
    # From the moment the request was let go until its answer had come.
    seconds: float

    @property
    def count(self) -> int | None:
        """How many rows the query means in all, whatever its limit; None where IGDB does not say."""
        value = self.reply.headers.get("X-Count", "")
        return int(value) if value.isascii() and value.isdigit() and len(value) < 12 else None


class Usage:
    """How many requests all workers have sent in the last hour, by Redis' clock."""

    def __init__(self, redis: Redis, client_id: str) -> None:
        self._key = f"lootwire:igdb:{{{client_id}}}:asked"
        self._count = redis.register_script(_COUNT)

    def note(self) -> None:
        """Count a request; without Redis it is not counted."""
        with suppress(RedisError):
            self._count(keys=[self._key], args=[1])

    def last_hour(self) -> int:
        """Return the count; raises `SourceUnavailable` where Redis does not answer."""
        with redis_answers("the rate limit"):
            return int(self._count(keys=[self._key], args=[0]))


class _Cause(msgspec.Struct):
    title: str | None = None
    cause: str | None = None
    message: str | None = None


class IgdbRequests:
    """Asks IGDB with the token and the limit that all workers share."""

    def __init__(
        self,
        client: Client,
        url: str,
        tokens: AppTokens,
        limiter: RateLimiter,
        clock: Callable[[], datetime],
        usage: Usage | None = None,
    ) -> None:
        self._client = client
        self._url = url
        self._tokens = tokens
        self._limiter = limiter
        self._clock = clock
        self._usage = usage

    def ask(self, method: str, path: str, body: str | None = None, *, form: bool = False) -> TimedReply:
        """Return an answer of 2xx.

        A token that died is renewed, once. Raises `SourceUnavailable`, `SourceRefused` with what a person can do, or
        `QueryRejected`.
        """
        token = self._tokens.current(self._client)
        send = functools.partial(self._send, method, path, body, FORM if form else QUERY)
        answer = send(token.headers())
        if answer.reply.status == 401:
            answer = send(self._tokens.renew(self._client, token).headers())
        _check(answer.reply, path)
        return answer

    def _send(self, method: str, path: str, body: str | None, content_type: str, headers: dict[str, str]) -> TimedReply:
        sent = None if body is None else body.encode()
        for attempt in range(RATE_LIMITED_ROUNDS):
            began: list[datetime] = []
            turn = functools.partial(self._turn, began)
            url = f"{self._url}/{path}"
            reply = self._client.ask(method, url, headers=headers, body=sent, content_type=content_type, turn=turn)
            if reply.status != 429:
                return TimedReply(reply, began[-1], (self._clock() - began[-1]).total_seconds())
            wait = parse_retry_after(reply.headers.get("Retry-After"), datetime.now(UTC))
            self._limiter.hold_off(max(HOLD_OFF * 2**attempt, wait or timedelta(0)))
        raise SourceUnavailable(
            "IGDB answered 429, again and again: another program seems to use the same TWITCH_CLIENT_ID",
            status=429,
            retry_after=timedelta(minutes=1),
        )

    @contextmanager
    def _turn(self, began: list[datetime]) -> Iterator[Callable[[], object] | None]:
        with self._limiter.turn() as sent:
            began.append(self._clock())
            yield sent
            if self._usage is not None:
                self._usage.note()


def _check(reply: Reply, path: str) -> None:
    status = reply.status
    if 200 <= status < 300:
        return
    text = error_text(reply)
    if status == 401:
        raise SourceRefused(
            f"IGDB does not accept the token of our application ({text}): "
            f"check TWITCH_CLIENT_ID and TWITCH_CLIENT_SECRET at {CONSOLE}",
            status=status,
        )
    if status == 403:
        raise SourceRefused(f"IGDB does not let us in ({text})", status=status)
    raise QueryRejected(f"IGDB rejects our query of {path} ({text})", cause=text, payload=reply.body, status=status)


def error_text(reply: Reply) -> str:
    """Return the text of an error: the cause that IGDB names, its message, or the text of its front's page."""
    for cause in _causes(reply.body):
        text = ": ".join(part for part in (clean(cause.title), clean(cause.cause or cause.message)) if part)
        if text:
            return text[:200]
    page = " ".join(_TAGS.sub(" ", reply.body[:2000].decode(errors="replace")).split())
    return (clean(page) or f"status {reply.status}")[:200]


def _causes(body: bytes) -> list[_Cause]:
    try:
        causes = msgspec.json.decode(body, type=list[_Cause] | _Cause)
    except UNREADABLE:
        return []
    return causes if isinstance(causes, list) else [causes]
