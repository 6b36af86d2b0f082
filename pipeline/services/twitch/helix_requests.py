"""One request to Helix: in our application's name, within the shared budget, refusals as our errors.

https://dev.twitch.tv/docs/api/guide/: 800 points a minute in a bucket, whose state each answer gives in
`Ratelimit-Limit`, `-Remaining` and `-Reset` (unix seconds); errors are `{"error", "status", "message"}`. 429 has three
meanings, and only one of them is the rate limit.
"""

import email.utils
import functools
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Protocol, TypeVar
from urllib.parse import urlencode

import msgspec

from pipeline.errors import InvalidItem, SourceChanged, SourceError, SourceRefused, SourceUnavailable
from pipeline.fetch.http import Client, Reply
from pipeline.fetch.limiter import Budget
from pipeline.fetch.mending import decode_mended
from pipeline.fetch.shapes import UNREADABLE, Count, clean, read_value
from pipeline.services.twitch.app_token import CONSOLE, AppTokens

logger = logging.getLogger(__name__)

PAGE = 100
# Twitch's largest listing, all its live streams, has about a thousand pages of a hundred.
MOST_PAGES = 2000
RATE_LIMITED_ROUNDS = 3
# Both clocks of Twitch, the one of `Date` and the one of `Ratelimit-Reset`, are cut to whole seconds.
ROUNDING = timedelta(seconds=1)

_NULL = msgspec.Raw(b"null")

MISMATCH = "client id and oauth token do not match"

Query = Sequence[tuple[str, str]]
Record = TypeVar("Record")


class RequestRejected(SourceChanged):
    """Twitch did not accept this request (400, 404, ...); `text` is its message."""

    def __init__(self, message: str, *, text: str, payload: bytes, status: int) -> None:
        super().__init__(message, payload=payload, status=status)
        self.text = text


class EventSubLimit(SourceError):
    """A limit of EventSub is reached, which waiting does not cure."""


class TooManySubscriptions(EventSubLimit):
    """There are three subscriptions of this type and condition already, whatever their state: delete one."""


class TooManyTransports(EventSubLimit):
    """Too many websockets are open. Lost ones count for about 15 seconds more; but asking again does not help."""


class TooManyConduits(EventSubLimit):
    """Our application has five conduits: delete one."""


class TooMuchCost(EventSubLimit):
    """The subscriptions would cost more than `max_total_cost`: follow fewer channels."""


LIMITS_OF_EVENTSUB: Mapping[str, type[EventSubLimit]] = {
    "type and condition": TooManySubscriptions,
    "websocket transports": TooManyTransports,
    "conduit": TooManyConduits,
    "cost": TooMuchCost,
}


class UserToken(Protocol):
    """A token that a person signed in with, and the application that it was made for."""

    @property
    def token(self) -> str:
        """The access token."""

    @property
    def client_id(self) -> str:
        """The application."""


class Paging(msgspec.Struct):
    """Where the next page begins."""

    cursor: msgspec.Raw = _NULL


class Envelope(msgspec.Struct):
    """The envelope of every list of Helix."""

    rows: list[msgspec.Raw] | None = msgspec.field(name="data")
    # Beside the rows: what cannot be read of it costs no row.
    paging: msgspec.Raw = msgspec.field(name="pagination", default=_NULL)
    number_of_rows: msgspec.Raw = msgspec.field(name="total", default=_NULL)
    cost: msgspec.Raw = msgspec.field(name="total_cost", default=_NULL)
    most_cost: msgspec.Raw = msgspec.field(name="max_total_cost", default=_NULL)
    problems: msgspec.Raw = msgspec.field(name="errors", default=_NULL)

    @property
    def data(self) -> list[msgspec.Raw]:
        """The rows; a search that finds nothing says null."""
        return self.rows or []

    @property
    def cursor(self) -> str | None:
        """Where the next page begins; None at the end."""
        paging = read_value(_PAGING, self.paging)
        return read_value(_TEXT, paging.cursor) or None if paging else None

    @property
    def has_bad_cursor(self) -> bool:
        """Whether the answer says of a next page what cannot be read."""
        paging = read_value(_PAGING, self.paging)
        if paging is None:
            return bytes(self.paging) != b"null"
        return bytes(paging.cursor) != b"null" and read_value(_TEXT, paging.cursor) is None

    @property
    def total(self) -> int | None:
        """How many rows all pages have together."""
        return read_value(_COUNT, self.number_of_rows)

    @property
    def total_cost(self) -> int | None:
        """What all subscriptions of our application cost."""
        return read_value(_COUNT, self.cost)

    @property
    def max_total_cost(self) -> int | None:
        """What they may cost."""
        return read_value(_COUNT, self.most_cost)

    @property
    def errors(self) -> list[msgspec.Raw]:
        """Why parts of a request failed."""
        return read_value(_ROWS, self.problems) or []


class _Said(msgspec.Struct):
    message: str | None = None


_ENVELOPE = msgspec.json.Decoder(Envelope)
_PAGING: msgspec.json.Decoder[Paging | None] = msgspec.json.Decoder(Paging | None)
_ROWS: msgspec.json.Decoder[list[msgspec.Raw] | None] = msgspec.json.Decoder(list[msgspec.Raw] | None)
_COUNT: msgspec.json.Decoder[Count | None] = msgspec.json.Decoder(Count | None)
_TEXT: msgspec.json.Decoder[str | None] = msgspec.json.Decoder(str | None)


class HelixRequests:
    """Asks Helix with the token and the budget that all workers share."""

    def __init__(self, client: Client, url: str, tokens: AppTokens, budget: Budget) -> None:
        self._client = client
        self._url = url
        self._tokens = tokens
        self._budget = budget

    def ask(
        self,
        method: str,
        path: str,
        query: Query = (),
        *,
        body: Any = None,
        bulk: bool = False,
        once: bool = False,
        accept: Sequence[int] = (),
    ) -> Reply:
        """Return an answer of 2xx, or of a status to accept.

        A token that died is renewed, once, and a rate limit waited out within our patience. Raises `SourceUnavailable`,
        `SourceRefused` with what a person can do, an `EventSubLimit`, or `RequestRejected`.
        """
        token = self._tokens.current(self._client)
        send = functools.partial(self._send, self._budget, method, path, query, body=body, bulk=bulk, once=once)
        reply = send(headers=token.headers())
        if reply.status == 401:
            _check_application(reply)
            reply = send(headers=self._tokens.renew(self._client, token).headers())
        return _accepted(reply, path, accept)

    def ask_as(self, user: UserToken, user_id: str, path: str, query: Query = ()) -> Reply:
        """Return an answer of 2xx to a GET in a user's name, out of the budget that each user has."""
        headers = {"Authorization": f"Bearer {user.token}", "Client-Id": user.client_id}
        reply = self._send(self._budget.beside(f"{user.client_id}:{user_id}"), "GET", path, query, headers=headers)
        return _accepted(reply, path, ())

    def pages(self, path: str, query: Query, *, bulk: bool = False) -> Iterator[Envelope]:
        """Return every page of a list."""
        return follow_pages(lambda page: read_envelope(self.ask("GET", path, page, bulk=bulk), path), query, path)

    def pages_as(self, user: UserToken, user_id: str, path: str, query: Query) -> Iterator[Envelope]:
        """Return every page of a list in a user's name."""
        return follow_pages(lambda page: read_envelope(self.ask_as(user, user_id, path, page), path), query, path)

    def _send(
        self,
        budget: Budget,
        method: str,
        path: str,
        query: Query,
        *,
        headers: Mapping[str, str],
        body: Any = None,
        bulk: bool = False,
        once: bool = False,
    ) -> Reply:
        url = f"{self._url}/{path}" + (f"?{urlencode(query)}" if query else "")
        sent = None if body is None else msgspec.json.encode(body)
        turn = functools.partial(budget.turn, bulk=bulk)
        for _ in range(RATE_LIMITED_ROUNDS):
            reply = self._client.ask(method, url, headers=headers, body=sent, once=once, turn=turn)
            _learn(budget, reply)
            if reply.status != 429:
                return reply
            if path.startswith("eventsub/"):
                _check_limits_of_eventsub(reply)
            # The next turn comes when the bucket is full again.
            budget.correct(remaining=0, full_in=_full_in(reply))
        raise SourceUnavailable(
            "Twitch answered 429, again after the wait it asked for", status=429, retry_after=timedelta(minutes=1)
        )


def error_text(reply: Reply) -> str:
    """Return the text of an error, or its status where it has none."""
    try:
        message = msgspec.json.decode(reply.body, type=_Said).message
    except UNREADABLE:
        message = None
    return (clean(message) or f"status {reply.status}")[:200]


def read_envelope(reply: Reply, path: str) -> Envelope:
    """Return the envelope of an answer; raises `SourceChanged` where it is no list."""
    try:
        return decode_mended(_ENVELOPE, reply.body)
    except UNREADABLE as error:
        raise SourceChanged(f"Twitch's answer to {path} is no list ({error})", payload=reply.body) from error


def read_rows(rows: Iterable[msgspec.Raw], parse: Callable[[msgspec.Raw], Record], path: str) -> list[Record]:
    """Return the records of the rows; those that cannot be read are left out, and logged in one line."""
    records: list[Record] = []
    problems: list[str] = []
    for row in rows:
        try:
            records.append(parse(row))
        except (InvalidItem, *UNREADABLE) as error:
            problems.append(str(error))
    if problems:
        logger.warning("%d rows of %s cannot be read, the first because: %s", len(problems), path, problems[0])
    return records


def follow_pages(ask: Callable[[Query], Envelope], query: Query, path: str) -> Iterator[Envelope]:
    """Ask for pages until there is no next one, or an empty one; raises `SourceChanged` if they never end."""
    page = ask(query)
    seen: set[str] = set()
    yield page
    while page.data and page.cursor is not None and page.cursor not in seen:
        if len(seen) > MOST_PAGES:
            raise SourceChanged(f"Twitch's pages of {path} do not end")
        seen.add(page.cursor)
        page = ask([*query, ("after", page.cursor)])
        yield page
    if page.data and page.has_bad_cursor:
        logger.warning("the pages of %s end early: Twitch's cursor cannot be read", path)


def _learn(budget: Budget, reply: Reply) -> None:
    """Correct the budget by an answer's headers; an unauthenticated 401 has none."""
    limit, remaining = _number(reply, "Ratelimit-Limit"), _number(reply, "Ratelimit-Remaining")
    if remaining is not None:
        budget.correct(remaining=remaining, full_in=_full_in(reply), limit=limit)


def _full_in(reply: Reply) -> timedelta | None:
    """Return how long the bucket takes to be full, both ends by Twitch's clock; None where it does not say."""
    reset = _number(reply, "Ratelimit-Reset")
    try:
        at = email.utils.parsedate_to_datetime(reply.headers.get("Date", ""))
    except (ValueError, OverflowError):
        return None
    return None if reset is None else timedelta(seconds=reset - at.timestamp()) + ROUNDING


def _number(reply: Reply, header: str) -> int | None:
    value = reply.headers.get(header, "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 12 else None


def _check_limits_of_eventsub(reply: Reply) -> None:
    """Raise the error of a 429 that is not about the rate of requests: it names a limit, or leaves points."""
    text = error_text(reply)
    for part, kind in LIMITS_OF_EVENTSUB.items():
        if part in text.lower():
            raise kind(f"Twitch: {text}")
    if _number(reply, "Ratelimit-Remaining"):
        raise EventSubLimit(f"Twitch: {text}")


def _check_application(reply: Reply) -> None:
    """Raise `SourceRefused` for a 401 that a new token does not cure."""
    if MISMATCH in error_text(reply).lower():
        raise SourceRefused(
            f"Twitch: {error_text(reply)}. The token is of another application: check TWITCH_CLIENT_ID and "
            f"TWITCH_CLIENT_SECRET at {CONSOLE}",
            status=reply.status,
        )


def _accepted(reply: Reply, path: str, accept: Sequence[int]) -> Reply:
    status, text = reply.status, error_text(reply)
    if 200 <= status < 300 or status in accept:
        return reply
    if status == 401:
        raise SourceRefused(f"Twitch does not accept our token at {path} ({text})", status=status)
    if status == 403:
        raise SourceRefused(f"Twitch does not let us use {path} ({text})", status=status)
    raise RequestRejected(f"Twitch rejects a request to {path} ({text})", text=text, payload=reply.body, status=status)
