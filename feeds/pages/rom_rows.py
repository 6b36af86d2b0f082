"""Load what the pages of a person's collection of ROMs show."""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby

from sqlalchemy import Connection, func, select

from feeds.content import FeedContent
from feeds.pages.library_rows import owners
from feeds.pages.roms import CollectedGame, Dump, RomsPage
from models import Game, Rom, RomFolder
from models.platforms import PLATFORMS


def load_collected(connection: Connection, feeds: Sequence[FeedContent], _now: datetime) -> dict[int, RomsPage]:
    """Return what the pages of people's collections show, by the ids of the feeds."""
    return {
        feed_id: RomsPage(path=path, games=_load_games(connection, person_id))
        for feed_id, path, person_id, _ in owners(connection, feeds)
    }


def _load_games(connection: Connection, person_id: int) -> tuple[CollectedGame, ...]:
    """Return the games of a person's folders: ROMs of one title on one platform are dumps of one game."""
    platform = func.coalesce(Rom.platform, "")
    statement = (
        select(
            *(Rom.title, Rom.title_key, platform.label("platform"), Rom.year, Rom.written, Rom.verdict),
            *(Rom.missing_since, Game.name.label("matched")),
        )
        .join(RomFolder, RomFolder.id == Rom.folder_id)
        .outerjoin(Game, Game.id == Rom.game_id)
        .where(RomFolder.person_id == person_id, RomFolder.removed_at.is_(None))
        .order_by(platform, Rom.title_key, Rom.written, Rom.id)
    )
    games = []
    for _, some in groupby(connection.execute(statement), lambda row: (row.platform, row.title_key)):
        rows = list(some)
        known = PLATFORMS.get(rows[0].platform)
        games.append(
            CollectedGame(
                title=rows[0].title,
                platform=known.name if known is not None else rows[0].platform or None,
                year=next((row.year for row in rows if row.year), None),
                matched=next((row.matched for row in rows if row.matched), None),
                dumps=tuple(
                    Dump(written=row.written, verdict=row.verdict, is_missing=row.missing_since is not None)
                    for row in rows
                ),
            )
        )
    return tuple(games)
