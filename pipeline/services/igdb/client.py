"""IGDB: its games by pages, by ids and by what changed, other lists in parts, and its webhooks.

https://api-docs.igdb.com/. Everything is asked for by `where id > n` in the order of ids, and counted: the header
`X-Count` tells how many rows a query means, so a page that lacks some shows, and is asked for again.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Literal, TypeVar
from urllib.parse import urlencode

import msgspec
from redis import Redis

from pipeline.errors import SourceChanged, SourceUnavailable
from pipeline.fetch.http import Client
from pipeline.fetch.limiter import RateLimiter
from pipeline.fetch.shapes import UNREADABLE
from pipeline.services.igdb.apicalypse import (
    MOST_QUERIES,
    MOST_ROWS,
    Condition,
    above,
    any_of,
    at_most,
    both,
    multiquery,
    query,
)
from pipeline.services.igdb.documents import Document, Documents, split_documents, split_rows
from pipeline.services.igdb.igdb_requests import MOST_OPEN, PER, REQUESTS, IgdbRequests, TimedReply, Usage
from pipeline.services.igdb.shapes import GAME_FIELDS
from pipeline.services.twitch.app_token import AppTokens

logger = logging.getLogger(__name__)

# How often a page that lacks rows is asked for, in all.
PAGE_ROUNDS = 3
Shape = TypeVar("Shape")
Method = Literal["create", "update", "delete"]


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of a list in the order of their ids: those above `after`, up to `until` where that is known.

    `missing` is how many IGDB counted and did not show, in each of the requests. `more` is where the next page begins;
    None at the end.
    """

    after: int
    until: int | None
    documents: Documents
    asked_at: datetime
    seconds: float
    count: int | None
    missing: int = 0

    @property
    def size(self) -> int:
        """How many rows it has."""
        return len(self.documents.documents) + len(self.documents.broken)

    @property
    def last_id(self) -> int:
        """The highest id that was shown."""
        return self.documents.documents[-1].igdb_id if self.documents.documents else self.after

    @property
    def more(self) -> int | None:
        """The id behind which the query's next page begins, None where this is the last one."""
        if not self.documents.documents:
            return None
        # Without a count the end is an empty page. The rows that a short page lacks may come on the next.
        return self.last_id if self.count is None or self.count > self.size else None

    @property
    def whole(self) -> bool:
        """Whether this is every row of its range: IGDB has no other."""
        return self.count is not None and not self.missing and not self.documents.broken


class Webhook(msgspec.Struct, frozen=True):
    """A webhook that IGDB keeps for our application; an inactive one failed five times."""

    id: int
    url: str
    active: bool = True


class _Named(msgspec.Struct):
    name: str
    result: list[msgspec.Raw] = []


class _Id(msgspec.Struct):
    id: int


class _Count(msgspec.Struct):
    count: int


_IDS: msgspec.json.Decoder[_Id] = msgspec.json.Decoder(_Id)
_COUNTS: msgspec.json.Decoder[_Count] = msgspec.json.Decoder(_Count)
_NAMED: msgspec.json.Decoder[_Named] = msgspec.json.Decoder(_Named)
_WEBHOOK: msgspec.json.Decoder[Webhook] = msgspec.json.Decoder(Webhook)


class Igdb:
    """IGDB as an application of ours may ask it. All methods raise `SourceError`."""

    def __init__(self, requests: IgdbRequests) -> None:
        self._requests = requests

    def games_page(self, after: int, until: int | None = None, where: Condition | None = None) -> Page:
        """Return up to 500 games with ids above one, up to another where that is given, as whole documents."""
        return self._page("games", GAME_FIELDS, after, until, where)

    def pages(
        self, endpoint: str, fields: Sequence[str], where: Condition | None = None, after: int = 0
    ) -> Iterator[Page]:
        """Return every page of a list, one after the other."""
        more: int | None = after
        while more is not None:
            page = self._page(endpoint, fields, more, None, where)
            yield page
            more = page.more

    def games(self, ids: Iterable[int]) -> Iterator[Page]:
        """Return the games with these ids, 500 with each request; those that no page holds IGDB does not have."""
        wanted = sorted(set(ids))
        for start in range(0, len(wanted), MOST_ROWS):
            yield from self.pages("games", GAME_FIELDS, any_of("id", wanted[start : start + MOST_ROWS]))

    def missing(self, ids: Iterable[int]) -> set[int]:
        """Return which of these games IGDB does not have; asks for nothing but their ids."""
        wanted = set(ids)
        listed: set[int] = set()
        for start in range(0, len(wanted), MOST_ROWS):
            part = sorted(wanted)[start : start + MOST_ROWS]
            for page in self.pages("games", ("id",), any_of("id", part)):
                if not page.whole:
                    return set()
                listed |= {document.igdb_id for document in page.documents.documents}
        return wanted - listed

    def cuts(self, after: int, pages: int = MOST_QUERIES) -> list[int]:
        """Return the ids at which the next pages end, one request for ten of them; fewer where the list ends."""
        queries = {
            f"{nth}": (
                "games",
                query(("id",), where=above("id", after), sort="id", limit=1, offset=nth * MOST_ROWS - 1),
            )
            for nth in range(1, pages + 1)
        }
        answers = self.several(queries)
        ends = [[_decode(row, _IDS).id for row in answers.get(name, ())] for name in queries]
        return sorted({ids[0] for ids in ends if ids})

    def several(self, queries: Mapping[str, tuple[str, str]]) -> dict[str, list[msgspec.Raw]]:
        """Return the rows of up to ten queries, by name, with one request."""
        answer = self._requests.ask("POST", "multiquery", multiquery(queries))
        return {named.name: named.result for named in decode_rows(split_rows(answer.reply.body), _NAMED)}

    def rows(self, endpoint: str, text: str) -> list[msgspec.Raw]:
        """Return the rows that a query means, as they came; see `apicalypse.query`."""
        return split_rows(self._requests.ask("POST", endpoint, text).reply.body)

    def count(self, endpoint: str = "games", where: Condition | None = None) -> int:
        """Return how many rows a list has."""
        text = query(where=where) if where is not None else ""
        return _decode(self._requests.ask("POST", f"{endpoint}/count", text).reply.body, _COUNTS).count

    def webhooks(self) -> list[Webhook]:
        """Return the webhooks of our application."""
        return _webhooks(self._requests.ask("GET", "webhooks/"))

    def add_webhook(self, endpoint: str, method: Method, url: str, secret: str) -> Webhook:
        """Register a webhook, or make the one of this address active again."""
        form = urlencode({"url": url, "method": method, "secret": secret})
        added = _webhooks(self._requests.ask("POST", f"{endpoint}/webhooks/", form, form=True))
        if not added:
            raise SourceChanged("IGDB took a webhook and tells nothing of it")
        return added[0]

    def delete_webhook(self, webhook_id: int) -> None:
        """Have a webhook forgotten."""
        self._requests.ask("DELETE", f"webhooks/{webhook_id:d}")

    def _page(
        self, endpoint: str, fields: Sequence[str], after: int, until: int | None, where: Condition | None
    ) -> Page:
        conditions = [above("id", after), *([at_most("id", until)] if until is not None else [])]
        meant = both(*conditions, *([where] if where is not None else []))
        text = query(fields, where=meant, sort="id", limit=MOST_ROWS)
        page = self._counted(endpoint, text, after, until)
        for _ in range(PAGE_ROUNDS - 1):
            if not page.missing:
                return page
            page = self._counted(endpoint, text, after, until)
        if page.missing:
            # The header may be wrong, too.
            page = _with_count(page, self.count(endpoint, meant))
        if page.missing:
            _report_missing(endpoint, page)
        return page

    def _counted(self, endpoint: str, text: str, after: int, until: int | None) -> Page:
        answer = self._requests.ask("POST", endpoint, text)
        documents = split_documents(answer.reply.body)
        _check_order(documents.documents, after, until, answer)
        page = Page(
            after=after,
            until=until,
            documents=documents,
            asked_at=answer.asked_at,
            seconds=answer.seconds,
            count=None,
        )
        return _with_count(page, answer.count)


def _with_count(page: Page, count: int | None) -> Page:
    missing = 0 if count is None else max(min(count, MOST_ROWS) - page.size, 0)
    return msgspec.structs.replace(page, count=count, missing=missing)


def decode_rows(rows: Iterable[bytes | msgspec.Raw], decoder: msgspec.json.Decoder[Shape]) -> list[Shape]:
    """Return rows of a few fields, decoded; those that cannot be are left out, and logged in one line."""
    decoded: list[Shape] = []
    problems: list[str] = []
    for row in rows:
        try:
            decoded.append(decoder.decode(row))
        except UNREADABLE as error:
            problems.append(str(error))
    if problems:
        logger.warning("%d rows of IGDB cannot be read, the first because: %s", len(problems), problems[0])
    return decoded


def open_igdb(
    client: Client, redis: Redis, tokens: AppTokens, url: str, client_id: str, clock: Callable[[], datetime]
) -> Igdb:
    """Return IGDB as all workers that use this Redis ask it: with one limit for all of them."""
    limiter = RateLimiter(redis, f"igdb:{client_id}", requests=REQUESTS, per=PER, most_open=MOST_OPEN)
    return Igdb(IgdbRequests(client, url, tokens, limiter, clock, Usage(redis, client_id)))


def _check_order(documents: Sequence[Document], after: int, until: int | None, answer: TimedReply) -> None:
    """Raise `SourceChanged` for rows outside the range, or in another order: paging by ids needs both."""
    last = after
    for document in documents:
        if document.igdb_id <= last or (until is not None and document.igdb_id > until):
            raise SourceChanged(
                f"IGDB's rows above id {after} are out of order at id {document.igdb_id}", payload=answer.reply.body
            )
        last = document.igdb_id


def _report_missing(endpoint: str, page: Page) -> None:
    """Log that a count does not add up; raises `SourceUnavailable` where a whole page and more is not shown."""
    text = f"IGDB counts {page.count} rows of {endpoint} above id {page.after}, but shows {page.size}"
    if not page.size and page.missing == MOST_ROWS:
        raise SourceUnavailable(f"{text}, {PAGE_ROUNDS} times")
    logger.warning("%s, %d times", text, PAGE_ROUNDS)


def _webhooks(answer: TimedReply) -> list[Webhook]:
    body = answer.reply.body or b"[]"
    rows = [body] if body.lstrip()[:1] == b"{" else split_rows(body)
    return decode_rows(rows, _WEBHOOK)


def _decode(data: bytes | msgspec.Raw, decoder: msgspec.json.Decoder[Shape]) -> Shape:
    try:
        return decoder.decode(data)
    except UNREADABLE as error:
        raise SourceChanged(f"IGDB's answer has an unknown shape ({error})", payload=bytes(data)) from error
