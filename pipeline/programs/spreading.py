"""Bring what is published further: into a bucket, and to hubs, which are told of each change."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from urllib.parse import urlencode, urlsplit

import msgspec
from sqlalchemy import Connection, Engine, Row, bindparam, func, select, update

from feeds.scopes import PODCASTS
from models import Feed
from models.errors import LootwireError
from models.locks import AT_ONCE, hold, lock_key
from pipeline.errors import SourceChanged, SourceError
from pipeline.fetch.http import Client
from pipeline.programs.operating.incidents import report
from pipeline.programs.operating.troubles import Trouble, bucket_failed, hub_failed
from pipeline.runtime.runtime import utc_now
from pipeline.runtime.settings import Settings

# Of a feed, the formats that hubs know; a calendar program knows none.
TOPICS = (".rss.xml", ".atom.xml", ".json")
# So many feeds are pinged, then settled.
_AT_ONCE = 20
# For a command that a person, or cron, waits for.
SPREAD_WITHIN = timedelta(minutes=10)
_PING_WITHIN = timedelta(seconds=10)
_MOST_OF_AN_ANSWER = 64 * 1024
# What says that there is no hub at an address; another refusal (4xx) is of one feed.
_NO_HUB = frozenset({404, 405, 410})
_MIRRORING, _PINGING = lock_key("lootwire mirror"), lock_key("lootwire hubs")

logger = logging.getLogger(__name__)


class Copied(msgspec.Struct, frozen=True, kw_only=True):
    """How many files a run uploaded to the bucket and removed from it, how many are left, and what went wrong."""

    uploaded: int = 0
    removed: int = 0
    left: int = 0
    problem: str | None = None


class Pinged(msgspec.Struct, kw_only=True):
    """How many feeds every hub knows the newest state of now, how many are left, and what hubs said against it."""

    feeds: int = 0
    left: int = 0
    problems: dict[str, str] = msgspec.field(default_factory=dict)


class Heard:
    """What each hub has heard in this process, where another hub is away: it is not told again and again."""

    def __init__(self) -> None:
        self._versions: dict[tuple[str, int], int] = {}

    def has(self, hub: str, feed: Row[int, str, int, str]) -> bool:
        """Whether a hub has heard of this version of a feed."""
        version = self._versions.get((hub, feed.id))
        return version is not None and version >= int(feed.written_version)

    def note(self, hub: str, feed: Row[int, str, int, str]) -> None:
        """Note that a hub has heard of this version of a feed."""
        self._versions[hub, feed.id] = feed.written_version

    def forget(self, feeds: Iterable[Row[int, str, int, str]], hubs: Sequence[str]) -> None:
        """Forget feeds of which every hub has heard: the database knows it now."""
        for feed in feeds:
            for hub in hubs:
                self._versions.pop((hub, feed.id), None)


def copy_to_bucket(
    engine: Engine, settings: Settings, *, within: timedelta, clock: Callable[[], datetime] = utc_now
) -> Copied:
    """Bring the bucket up to date where there is one; operators are told of a bucket that takes nothing.

    May be killed anywhere, and run by several at once, of which one does it.
    """
    if settings.bucket_url is None or settings.bucket_key_id is None or settings.bucket_secret_key is None:
        return Copied()
    # Most installations have none.
    from feeds.stores.bucket import Access, Bucket, BucketError
    from feeds.stores.manifest import open_manifest
    from feeds.stores.mirror import mirror

    key = settings.bucket_secret_key.get_secret_value()
    access = Access(settings.bucket_url, settings.bucket_region, settings.bucket_key_id, key)
    with hold(engine, _MIRRORING, AT_ONCE) as our_turn:
        if not our_turn:
            return Copied()
        try:
            with open_manifest(settings.bucket_manifest) as manifest:
                done = mirror(settings.published, Bucket(access), manifest, within=within)
        except BucketError as error:
            _report(engine, bucket_failed(settings.bucket_url, error.reason), clock())
            return Copied(problem=str(error))
        except LootwireError as error:
            _report(engine, bucket_failed(settings.bucket_url, str(error)), clock())
            return Copied(problem=str(error))
    return Copied(uploaded=done.uploaded, removed=done.removed, left=done.left)


def ping_hubs(
    engine: Engine, settings: Settings, heard: Heard, *, within: timedelta, clock: Callable[[], datetime] = utc_now
) -> Pinged:
    """Tell each hub of each feed that changed since it was told last, the newest change first, for as long as `within`.

    A hub that is away, or refuses us, is left alone for the rest of the run, and its feeds stay due; operators are told
    of it. Feeds at private addresses are nobody else's business. May be killed anywhere, and run by several at once, of
    which one does it.
    """
    summary = Pinged()
    if not settings.websub_hubs:
        return summary
    until = time.monotonic() + within.total_seconds()
    with hold(engine, _PINGING, AT_ONCE) as our_turn:
        if not our_turn:
            return summary
        with Client(deadline=_PING_WITHIN, max_bytes=_MOST_OF_AN_ANSWER) as client:
            round_ = _Round(client, settings.websub_hubs, settings.public_url, heard, summary.problems)
            for feeds in _due(engine, until):
                known = [feed for feed in feeds if round_.tell(feed)]
                with engine.begin() as connection:
                    _settle(connection, known)
                heard.forget(known, settings.websub_hubs)
                summary.feeds += len(known)
        with engine.connect() as connection:
            summary.left = connection.scalar(select(func.count()).where(_IS_DUE)) or 0
    for hub, reason in summary.problems.items():
        _report(engine, hub_failed(host_of(hub), reason), clock())
    return summary


_IS_DUE = (Feed.pinged_version < Feed.written_version) & Feed.link_id.is_(None)
_COLUMNS = select(Feed.id, Feed.path, Feed.written_version, Feed.scope)
_NEWEST = (Feed.written_at.desc(), Feed.id)


def _due(engine: Engine, until: float) -> Iterator[Sequence[Row[int, str, int, str]]]:
    """Yield the feeds that hubs are to hear of, some at a time, each once."""
    with engine.connect() as connection:
        feeds = connection.execute(_COLUMNS.where(_IS_DUE).order_by(*_NEWEST)).all()
    for first in range(0, len(feeds), _AT_ONCE):
        if time.monotonic() > until:
            return
        yield feeds[first : first + _AT_ONCE]


def _settle(connection: Connection, feeds: Sequence[Row[int, str, int, str]]) -> None:
    if feeds:
        newest = func.greatest(Feed.pinged_version, bindparam("heard"))
        settled = update(Feed).where(Feed.id == bindparam("feed")).values(pinged_version=newest)
        connection.execute(settled, [{"feed": feed.id, "heard": feed.written_version} for feed in feeds])


class _Round:
    """One run's pings; a hub that is away is out of it."""

    def __init__(
        self, client: Client, hubs: Sequence[str], base_url: str, heard: Heard, problems: dict[str, str]
    ) -> None:
        self._client = client
        self._hubs = hubs
        self._base_url = base_url.rstrip("/")
        self._heard = heard
        self._problems = problems
        self._away = set[str]()

    def tell(self, feed: Row[int, str, int, str]) -> bool:
        """Tell all hubs of a feed, and return whether all have heard of it."""
        for hub in self._hubs:
            if hub not in self._away and not self._heard.has(hub, feed) and self._ping(hub, feed.path, feed.scope):
                self._heard.note(hub, feed)
        return all(self._heard.has(hub, feed) for hub in self._hubs)

    def _ping(self, hub: str, path: str, scope: str) -> bool:
        # A podcast has RSS alone.
        for ending in TOPICS[:1] if scope in PODCASTS else TOPICS:
            topic = f"{self._base_url}/{path}{ending}"
            body = urlencode({"hub.mode": "publish", "hub.url": topic}).encode()
            try:
                self._client.post(hub, body, content_type="application/x-www-form-urlencoded")
            except SourceError as error:
                self._problems[hub] = str(error)
                if not _is_of_one_feed(error):
                    self._away.add(hub)
                    return False
                logger.warning("the hub refused %s: %s", topic, error)
        return True


def _is_of_one_feed(error: SourceError) -> bool:
    status = error.status if isinstance(error, SourceChanged) else None
    return status is not None and 400 <= status < 500 and status not in _NO_HUB


def _report(engine: Engine, trouble: Trouble, now: datetime) -> None:
    with engine.begin() as connection:
        report(connection, trouble, now)


def host_of(hub: str) -> str:
    """Return what may be shown of a hub: its address may hold a key."""
    return urlsplit(hub).hostname or "a hub"
