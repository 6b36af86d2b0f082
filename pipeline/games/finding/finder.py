"""Find the entries of IGDB that people mean, many at once: first in the catalogue, then at IGDB itself."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ARRAY, Connection, Engine, bindparam, func, select
from sqlalchemy.orm import InstrumentedAttribute

from models import GameMetadata, Source
from models.errors import LootwireError
from pipeline.games.finding.names import GameName
from pipeline.games.matching.records import Decision, Scored, Verdict, wanted
from pipeline.games.matching.several import match_titles
from pipeline.games.mirror.state import is_kept
from pipeline.games.releases.news import append_releases
from pipeline.games.sources.links import search_entries
from pipeline.games.store.wanted import WANTED, begin_wanting
from pipeline.games.take_in import Intake
from pipeline.services.igdb.apicalypse import MOST_ROWS, any_of, query
from pipeline.services.igdb.client import Igdb
from pipeline.services.igdb.documents import split_documents
from pipeline.services.igdb.shapes import GAME_FIELDS

CHOICES = 5


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """An entry that may be meant."""

    igdb_id: int
    name: str
    year: int | None
    score: float


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """The entry that a person means where it is sure, and else those that it may be, best first.

    `how` is `id`, `slug` or `title`; `why` is a sentence for a person.
    """

    asked: GameName
    verdict: Verdict
    how: str
    why: str
    igdb_id: int | None = None
    name: str | None = None
    score: float | None = None
    choices: tuple[Choice, ...] = ()


class Finder(msgspec.Struct, frozen=True, kw_only=True):
    """Where to look; `open_igdb` is called only for games that the catalogue lacks.

    IGDB's answers are stored under the source `igdb.wanted`, which has to have a row by then.
    """

    engine: Engine
    open_igdb: Callable[[], Igdb]
    clock: Callable[[], datetime]

    def find(self, games: Sequence[GameName], progress: Callable[[int], object] = lambda _: None) -> list[Finding]:
        """Return the finding of each game, in their order. IGDB's answers on the way are stored.

        `progress` is called with how many games have been looked for.
        Raises `SourceError` where IGDB is needed and does not answer, `LootwireError` where it is not set up.
        """
        with self.engine.connect() as connection:
            findings = _find_all(connection, games, progress)
            mirrored = is_kept(connection)
        lacking = [finding.asked for finding in findings if finding.verdict != "sure"]
        # A mirror lacks only games of the last hours: an id or an address that it does not know may be one of those.
        unknown = [game for game in lacking if not mirrored or _names_entry(game)]
        if not unknown or not self._ask(unknown):
            return findings
        with self.engine.connect() as connection:
            again = dict(zip(unknown, _find_all(connection, unknown), strict=True))
        return [again.get(finding.asked, finding) for finding in findings]

    def _ask(self, games: Sequence[GameName]) -> bool:
        """Ask IGDB for games and store its answers; returns whether it had any."""
        asked_at = self.clock()
        rows = list(ask_for(self.open_igdb(), games))
        if not rows:
            return False
        now = self.clock()
        with self.engine.begin() as connection:
            begin_wanting(connection, now)
            keep_answers(connection, rows, asked_at, now)
        return True


def keep_answers(connection: Connection, rows: Sequence[msgspec.Raw], asked_at: datetime, now: datetime) -> None:
    """Store what IGDB answered, inside a transaction that took the turn to store.

    Raises `LootwireError` where the source `igdb.wanted` has no row.
    """
    source_id = connection.scalar(select(Source.id).where(Source.name == WANTED))
    if source_id is None:
        raise LootwireError(f"there is no source {WANTED} to keep IGDB's answers under")
    intake = Intake(connection=connection, source_id=source_id, origin=WANTED, append_news=append_releases, now=now)
    intake.take(split_documents(msgspec.json.encode(rows)), asked_at, silent=True)


def ask_for(igdb: Igdb, games: Sequence[GameName]) -> Iterator[msgspec.Raw]:
    """Yield the entries that IGDB has for games: those with their ids and slugs, and those that titles may mean."""
    ids = [game.igdb_id for game in games if game.igdb_id is not None]
    for page in igdb.games(ids) if ids else ():
        yield from (msgspec.Raw(document.raw) for document in page.documents.documents)
    slugs = sorted({slug for game in games if (slug := _slug(game))})
    for start in range(0, len(slugs), MOST_ROWS):
        part = slugs[start : start + MOST_ROWS]
        yield from igdb.rows("games", query(GAME_FIELDS, where=any_of("slug", part), limit=MOST_ROWS))
    titles = [game.written for game in games if not _names_entry(game)]
    if titles:
        yield from search_entries(igdb, titles)


def _names_entry(game: GameName) -> bool:
    return game.igdb_id is not None or game.slug is not None


def _slug(game: GameName) -> str | None:
    """Return the slug that is meant; words that a person joined by hyphens may be one."""
    if game.slug is not None or game.igdb_id is not None:
        return game.slug
    written = game.written
    return written if "-" in written and " " not in written and written == written.lower() else None


def _find_all(
    connection: Connection, games: Sequence[GameName], progress: Callable[[int], object] = lambda _: None
) -> list[Finding]:
    """Return the finding of each game: by its id, by its slug, or else by its title."""
    by_id = _stored(connection, GameMetadata.igdb_id, [game.igdb_id for game in games if game.igdb_id is not None])
    by_slug = _stored(connection, GameMetadata.slug, [slug for game in games if (slug := _slug(game))])
    named = [_by_name(game, by_id, by_slug) for game in games]
    titles = (game for game, finding in zip(games, named, strict=True) if finding is None)
    asked = (wanted(game.written, year=game.year, platforms=game.platforms) for game in titles)
    decisions = match_titles(connection, asked)
    findings = []
    for game, finding in zip(games, named, strict=True):
        findings.append(finding or _matched(game, next(decisions)))
        progress(len(findings))
    return findings


def _by_name(
    game: GameName, by_id: Mapping[object, tuple[int, str]], by_slug: Mapping[object, tuple[int, str]]
) -> Finding | None:
    """Return the finding of a game that an id or a slug names; None where its title has to be matched."""
    if game.igdb_id is not None:
        return _named(game, "id", by_id.get(game.igdb_id), f"IGDB has no game {game.igdb_id}")
    if (slug := _slug(game)) is not None and (slug in by_slug or game.slug is not None):
        return _named(game, "slug", by_slug.get(slug), f"IGDB has no game at {slug}")
    return None


def _stored(
    connection: Connection, column: InstrumentedAttribute[Any], values: Sequence[int | str]
) -> dict[object, tuple[int, str]]:
    """Return the id and the name of the entry with each value of a column; of several with one slug the first."""
    if not values:
        return {}
    known = select(column, GameMetadata.igdb_id, GameMetadata.name).where(
        column == func.any(bindparam("values", type_=ARRAY(column.type))), GameMetadata.removed_at.is_(None)
    )
    rows = connection.execute(known.order_by(GameMetadata.igdb_id.desc()), {"values": list(values)})
    return {row[0]: (row[1], row[2]) for row in rows}


def _named(game: GameName, how: str, row: tuple[int, str] | None, missing: str) -> Finding:
    if row is None:
        return Finding(asked=game, verdict="none", how=how, why=missing)
    return Finding(asked=game, verdict="sure", how=how, why=f"by its {how}", igdb_id=row[0], name=row[1], score=1.0)


def _matched(game: GameName, decision: Decision) -> Finding:
    best = decision.best
    return Finding(
        asked=game,
        verdict=decision.verdict,
        how="title",
        why=decision.why,
        igdb_id=decision.igdb_id,
        name=best.candidate.name if best is not None and decision.verdict != "none" else None,
        score=round(best.score, 4) if best is not None else None,
        choices=() if decision.verdict == "sure" else tuple(map(_choice, decision.ranked[:CHOICES])),
    )


def _choice(scored: Scored) -> Choice:
    candidate = scored.candidate
    return Choice(igdb_id=candidate.igdb_id, name=candidate.name, year=candidate.year, score=round(scored.score, 4))
