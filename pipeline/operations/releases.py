"""Release dates: what comes out when."""

from datetime import date

from sqlalchemy import Connection

from models.errors import UsageError
from pipeline.games.finding.unknown import unknown_platform
from pipeline.games.listing import releases
from pipeline.games.listing.releases import Position, ReleaseFilter, ReleaseLine, platforms_named


class UnknownPlatform(UsageError):
    """A name is that of no platform."""


def list_releases(
    connection: Connection,
    person_id: int,
    *,
    since: date | None = None,
    until: date | None = None,
    platform: str | None = None,
    followed: bool = False,
    after: Position | None = None,
    limit: int | None = None,
) -> list[ReleaseLine]:
    """Return the release dates of games that a person may see, those that may be in the window, by their last days.

    Both days of the window are included; a quarter is in it where any of its days is. With `followed` only games that
    the person follows. Raises `UnknownPlatform`, which says what may be meant.
    """
    platforms = None if platform is None else platforms_named(connection, platform)
    if platform is not None and not platforms:
        unknown = unknown_platform(connection, platform)
        raise UnknownPlatform(unknown.sentence if unknown else f"no platform {platform!r} is known")
    wanted = ReleaseFilter(since=since, until=until, platforms=platforms, followed=followed)
    return releases.list_releases(connection, wanted, person_id, after=after, limit=limit)
