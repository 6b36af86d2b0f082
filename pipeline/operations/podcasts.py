"""Where the podcast of a show or a playlist is; a private one's address is a secret that can be changed."""

from datetime import datetime

import msgspec
from sqlalchemy import select

from feeds.links import rotate_link
from feeds.podcasts.standing import Kind, ensure_podcast
from feeds.take_in import TURN
from models import Link
from models.errors import UsageError
from models.locks import hold
from pipeline.runtime.runtime import Runtime

ENDINGS = {"rss": ".rss.xml", "page": ".html"}


class PodcastAddresses(msgspec.Struct, frozen=True, kw_only=True):
    """Where a podcast and its page are; whoever has them can hear it."""

    rss: str
    page: str


def podcast_addresses(runtime: Runtime, kind: Kind, row_id: int, now: datetime) -> PodcastAddresses:
    """Return the addresses of a podcast and of its page; a private one's name is made where it has none yet.

    The files are there after the next publish, within seconds where Lootwire runs. Call it with no transaction open.
    """
    with hold(runtime.engine, TURN), runtime.engine.begin() as connection:
        path = ensure_podcast(connection, lambda: runtime.vault, kind, row_id, now)
    base = runtime.settings.public_url
    return PodcastAddresses(**{name: f"{base}/{path}{ending}" for name, ending in ENDINGS.items()})


def rotate_podcast(runtime: Runtime, kind: Kind, row_id: int, now: datetime) -> PodcastAddresses:
    """Give a private podcast other addresses; the next publish deletes the files under the old ones.

    Call it with no transaction open. Raises `UsageError` where everybody may find it.
    """
    with hold(runtime.engine, TURN), runtime.engine.begin() as connection:
        # It may have none so far.
        ensure_podcast(connection, lambda: runtime.vault, kind, row_id, now)
        is_it = (Link.opens == kind, Link.subject_id == row_id, Link.revoked_at.is_(None))
        link_id = connection.scalar(select(Link.id).where(*is_it))
        if link_id is None:
            raise UsageError(f"this {kind} is public: its address is no secret, and stays as it is")
        rotate_link(connection, runtime.vault, link_id, now)
    return podcast_addresses(runtime, kind, row_id, now)
