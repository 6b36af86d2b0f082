"""Take in IGDB's answers: store them, set aside what cannot be read, and make events of release dates."""

import logging
from collections import Counter
from collections.abc import Callable, Collection
from datetime import datetime
from typing import Protocol

import msgspec
from sqlalchemy import Connection

from pipeline.games.store.games import KnownGame, StoredGames, remove_games, store_games
from pipeline.games.store.works import renew_families
from pipeline.ingest.quarantine import keep_aside
from pipeline.services.igdb.documents import Documents
from pipeline.services.igdb.records import GameRecord

logger = logging.getLogger(__name__)
# As with campaigns (DESIGN.md, section 4): so many gone at once are more likely IGDB's fault.
FEW_GONE, SHARE_GONE = 5, 0.3


Clock = Callable[[], datetime]


class AppendNews(Protocol):
    """Makes events of what changed, inside the caller's transaction; returns how many of each kind."""

    def __call__(self, connection: Connection, stored: StoredGames, now: datetime, *, silent: bool) -> Counter[str]:
        """With `silent` new games are no news: IGDB had them before we looked."""


class Taken(msgspec.Struct, kw_only=True):
    """What became of answers: games by what was done with them, parts and rows that were set aside, events by kind."""

    listed: int = 0
    added: int = 0
    changed: int = 0
    removed: int = 0
    unchanged: int = 0
    late: int = 0
    set_aside: int = 0
    faults: int = 0
    events: Counter[str] = msgspec.field(default_factory=Counter)

    def add(self, other: "Taken") -> None:
        """Add the counts of other answers."""
        for name in self.__struct_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    @property
    def written(self) -> int:
        """The games that were written."""
        return self.added + self.changed + self.removed


class Intake(msgspec.Struct, frozen=True, kw_only=True):
    """Where answers are taken in: the source that brought them, and the function that appends their events."""

    connection: Connection
    source_id: int
    origin: str
    append_news: AppendNews
    now: datetime

    def take(self, documents: Documents, asked_at: datetime, *, silent: bool, removed: Collection[int] = ()) -> Taken:
        """Store documents that were asked for at `asked_at`, and mark the games that IGDB no longer has.

        With `silent` games that were not known are no news; changes of known games are news all the same.
        """
        stored = store_games(self.connection, documents.documents, asked_at)
        _renew_families(self.connection, stored)
        gone = remove_games(self.connection, removed, asked_at) if removed else []
        if stored.old_names:
            logger.warning("IGDB used names that it took away: %s", ", ".join(stored.old_names))
        return Taken(
            listed=len(documents.documents) + len(documents.broken),
            added=len(stored.added),
            changed=len(stored.changed),
            removed=len(gone),
            unchanged=stored.unchanged,
            late=stored.late,
            set_aside=self._set_aside(documents, stored),
            faults=len(stored.faults),
            events=self._append(stored, silent=silent),
        )

    def _append(self, stored: StoredGames, *, silent: bool) -> Counter[str]:
        if not silent:
            return self.append_news(self.connection, stored, self.now, silent=False)
        events = Counter[str]()
        for part, is_silent in ((StoredGames(added=stored.added), True), (StoredGames(changed=stored.changed), False)):
            if part.added or part.changed:
                events += self.append_news(self.connection, part, self.now, silent=is_silent)
        return events

    def _set_aside(self, documents: Documents, stored: StoredGames) -> int:
        """Keep rows that could not be read, each with its reason."""
        refused = dict(stored.refused)
        rows = [(bytes(row.raw), refused[row.igdb_id]) for row in documents.documents if row.igdb_id in refused]
        rows += [(bytes(raw), reason) for raw, reason in documents.broken]
        for raw, reason in rows:
            keep_aside(
                self.connection,
                self.source_id,
                raw,
                reason="invalid_item",
                detail=reason,
                origin=self.origin,
                now=self.now,
            )
        return len(rows)


def _renew_families(connection: Connection, stored: StoredGames) -> None:
    """Have works fit entries that say of themselves, other than before, to which game they belong, and what it is."""
    changed = {game.record.igdb_id for game in stored.changed if _kin(game.record) != _kin(game.before)}
    renamed = {game.record.igdb_id for game in stored.changed if _title(game.record) != _title(game.before)}
    added = {game.record.igdb_id for game in stored.added}
    if changed or renamed or added:
        renew_families(connection, changed | added, changed | renamed | added)


def _kin(entry: GameRecord | KnownGame | None) -> tuple[int | None, ...]:
    return () if entry is None else (entry.game_type, entry.parent_igdb_id, entry.version_parent_igdb_id)


def _title(entry: GameRecord | KnownGame | None) -> tuple[str | None, list[str], list[str]] | None:
    return None if entry is None else (entry.name, list(entry.franchises), list(entry.collections))


def believed(gone: Collection[int], known: Collection[int]) -> Collection[int]:
    """Return the games that are gone, or none where too many of those that are known are gone at once."""
    missed = set(gone).intersection(known)
    if len(missed) <= max(FEW_GONE, SHARE_GONE * len(known)):
        return missed
    logger.warning("IGDB lacks %d of %d games at once, which is not believed", len(missed), len(known))
    return ()


def append_nothing(connection: Connection, stored: StoredGames, now: datetime, *, silent: bool) -> Counter[str]:  # noqa: ARG001
    """Append no events, as an `AppendNews` that only stores answers."""
    return Counter()
