"""Find which games lines mean: by a person's decisions, by ids and slugs, by what shops call them, then by titles."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import msgspec
from sqlalchemy import ARRAY, Connection, Integer, Text, bindparam, func, select
from sqlalchemy.orm import InstrumentedAttribute

from models import ExternalGame, Game, GameExternalId, GameMetadata
from models.names import name_key
from pipeline.games.finding.finder import CHOICES, Choice
from pipeline.games.matching.records import Decision, Scored, wanted
from pipeline.games.matching.several import match_titles
from pipeline.games.platforms import called_all
from pipeline.games.store.decisions import Answer, DecisionKey, Decisions, key_of
from pipeline.library.records import Record

# IGDB's numbers: https://api-docs.igdb.com/#external-game (external_game_source).
SOURCES: Mapping[str, tuple[int, ...]] = {
    "steam": (1,),
    "gog": (5,),
    "xbox": (11, 31),
    "amazon": (23,),
    "epic": (26,),
    "itch": (30,),
    "playstation": (36,),
}
_EXTERNAL = (
    select(
        ExternalGame.source,
        ExternalGame.uid,
        GameMetadata.igdb_id,
        GameMetadata.name,
        GameMetadata.parent_igdb_id,
        GameMetadata.version_parent_igdb_id,
    )
    .join(GameMetadata, GameMetadata.igdb_id == ExternalGame.igdb_id)
    .where(ExternalGame.source == func.any(bindparam("sources", type_=ARRAY(Integer))))
    .where(ExternalGame.uid == func.any(bindparam("uids", type_=ARRAY(Text))), GameMetadata.removed_at.is_(None))
    .order_by(ExternalGame.source, ExternalGame.uid, GameMetadata.igdb_id)
)

_LINKED = (
    select(GameExternalId.game_id)
    .where(GameExternalId.game_id == Game.id, GameExternalId.service == "igdb")
    .where(GameExternalId.external_id.not_like("none/%"))
    .exists()
)
_OURS = (
    select(Game.id, Game.name, Game.name_key)
    .where(Game.name_key == func.any(bindparam("keys", type_=ARRAY(Text))), ~_LINKED)
    .order_by(Game.id)
)


class Resolved(msgspec.Struct, frozen=True, kw_only=True):
    """The game that a line means where that is sure: an entry of IGDB, or one of ours that IGDB lacks (`game_id`).

    `why` is a sentence for a person; `choices` are the entries that may be meant where it is unsure. `is_decided` where
    a person has said it.
    """

    verdict: Literal["sure", "unsure", "unknown", "skip"]
    why: str
    igdb_id: int | None = None
    game_id: int | None = None
    name: str | None = None
    score: float | None = None
    choices: tuple[Choice, ...] = ()
    is_decided: bool = False


class _Entry(msgspec.Struct, frozen=True):
    igdb_id: int
    name: str


def title_of(record: Record) -> str:
    """Return the title that a line is looked up by."""
    return record.title or record.written


def answer_on(record: Record, decisions: Decisions) -> Answer | None:
    """Return what a person has said that a line means, or None."""
    return decisions.find(
        title_of(record),
        platforms=record.platforms,
        year=record.year,
        store=record.store or "",
        external_id=record.external_id or "",
    )


def key_of_record(record: Record) -> DecisionKey:
    """Return what an answer on a line is kept under."""
    return key_of(
        title_of(record),
        platforms=record.platforms,
        year=record.year,
        store=record.store or "",
        external_id=record.external_id or "",
    )


def resolve(connection: Connection, records: Sequence[Record], decisions: Decisions) -> list[Resolved]:
    """Return which game each line means, in their order: a few statements, however many lines there are.

    Entries that the catalogue lacks are unknown here; `pipeline.library.importing.asking` asks IGDB before.
    """
    answers = [answer_on(record, decisions) for record in records]
    asked_ids = {answer.igdb_id for answer in answers if answer is not None} | {record.igdb_id for record in records}
    by_id = _stored(connection, GameMetadata.igdb_id, [igdb_id for igdb_id in asked_ids if igdb_id is not None])
    by_slug = _stored(
        connection, GameMetadata.slug, {record.igdb_slug.lower() for record in records if record.igdb_slug}
    )
    by_shop = _of_shops(connection, records)
    known = [
        _decided(answer, by_id) if answer is not None else _by_ids(record, by_id, by_slug, by_shop)
        for record, answer in zip(records, answers, strict=True)
    ]
    titles = (
        wanted(
            title_of(record),
            year=record.year,
            platforms=called_all(record.platforms),
            official=record.store is not None and record.external_id is not None,
            # Lists of ROMs hold many games of one series, all for one platform and of few years.
            whole=record.store == "rom",
        )
        for record, resolved in zip(records, known, strict=True)
        if resolved is None
    )
    matched = match_titles(connection, titles)
    answered = [resolved if resolved is not None else _matched(next(matched)) for resolved in known]
    return _by_our_names(connection, records, answered)


def _decided(answer: Answer, by_id: Mapping[object, _Entry]) -> Resolved:
    why = "as you said"
    if answer.verdict == "skip":
        return Resolved(verdict="skip", why="you said to skip it", is_decided=True)
    if answer.verdict == "own":
        return Resolved(verdict="sure", why=why, game_id=answer.game_id, score=1.0, is_decided=True)
    entry = by_id.get(answer.igdb_id)
    if entry is None:
        return Resolved(
            verdict="unknown", why=f"you said IGDB {answer.igdb_id}, which the catalogue lacks", is_decided=True
        )
    return _sure(entry, why, is_decided=True)


def _by_ids(
    record: Record,
    by_id: Mapping[object, _Entry],
    by_slug: Mapping[object, _Entry],
    by_shop: Mapping[tuple[str, str], Resolved],
) -> Resolved | None:
    if (entry := by_id.get(record.igdb_id)) is not None:
        return _sure(entry, "by its id")
    if record.igdb_slug and (entry := by_slug.get(record.igdb_slug.lower())) is not None:
        return _sure(entry, "by its slug")
    return by_shop.get((record.store or "", record.external_id or ""))


def _sure(entry: _Entry, why: str, *, is_decided: bool = False) -> Resolved:
    return Resolved(verdict="sure", why=why, igdb_id=entry.igdb_id, name=entry.name, score=1.0, is_decided=is_decided)


def _stored(
    connection: Connection, column: InstrumentedAttribute[Any], values: Iterable[int | str]
) -> dict[object, _Entry]:
    """Return the entry with each value of a column; of several with one slug the first."""
    listed = sorted(values)
    if not listed:
        return {}
    query = (
        select(column, GameMetadata.igdb_id, GameMetadata.name)
        .where(column == func.any(bindparam("values", type_=ARRAY(column.type))), GameMetadata.removed_at.is_(None))
        .order_by(GameMetadata.igdb_id.desc())
    )
    return {row[0]: _Entry(row[1], row[2]) for row in connection.execute(query, {"values": listed})}


def _of_shops(connection: Connection, records: Iterable[Record]) -> dict[tuple[str, str], Resolved]:
    """Return the games that shops' ids mean by IGDB's word, by the shop and its id."""
    uids: defaultdict[str, set[str]] = defaultdict(set)
    for record in records:
        if record.store is not None and record.store in SOURCES and record.external_id:
            uids[record.store].add(record.external_id)
    resolved: dict[tuple[str, str], Resolved] = {}
    for store, some in sorted(uids.items()):
        rows: defaultdict[str, list[Any]] = defaultdict(list)
        for row in connection.execute(_EXTERNAL, {"sources": list(SOURCES[store]), "uids": sorted(some)}):
            rows[row.uid].append(row)
        resolved |= {(store, uid): _of_one_id(store, uid, entries) for uid, entries in rows.items()}
    return resolved


def _of_one_id(store: str, uid: str, rows: Sequence[Any]) -> Resolved:
    """Return what an id means that IGDB lists for some entries: that to which all others of them belong."""
    ids = {row.igdb_id for row in rows}
    roots = {row.igdb_id: row.name for row in rows if ids.isdisjoint({row.parent_igdb_id, row.version_parent_igdb_id})}
    if len(roots) == 1:
        [(igdb_id, name)] = roots.items()
        return _sure(_Entry(igdb_id, name), f"by its id at {store}")
    names = {row.igdb_id: row.name for row in rows}
    choices = [Choice(igdb_id=igdb_id, name=name, year=None, score=1.0) for igdb_id, name in sorted(names.items())]
    why = f"IGDB lists {store}'s {uid} for {len(names)} games"
    return Resolved(verdict="unsure", why=why, score=1.0, choices=tuple(choices[:CHOICES]))


def _by_our_names(connection: Connection, records: Sequence[Record], answered: Sequence[Resolved]) -> list[Resolved]:
    """Have titles that IGDB's catalogue lacks mean the games of ours that are called so, which drops may be for."""
    unknown = {
        name_key(title_of(record))
        for record, resolved in zip(records, answered, strict=True)
        if resolved.verdict == "unknown" and not resolved.is_decided
    }
    if not unknown:
        return list(answered)
    ours: defaultdict[str, list[Any]] = defaultdict(list)
    for row in connection.execute(_OURS, {"keys": sorted(unknown)}):
        ours[row.name_key].append(row)
    alone = {key: _ours(rows[0]) for key, rows in ours.items() if len(rows) == 1}
    return [
        alone.get(name_key(title_of(record)), resolved)
        if resolved.verdict == "unknown" and not resolved.is_decided
        else resolved
        for record, resolved in zip(records, answered, strict=True)
    ]


def _ours(row: Any) -> Resolved:
    return Resolved(
        verdict="sure", why="by the name of a game that the catalogue lacks", game_id=row.id, name=row.name, score=1.0
    )


def _matched(decision: Decision) -> Resolved:
    best = decision.best
    if decision.verdict == "sure" and best is not None:
        return Resolved(
            verdict="sure",
            why=decision.why,
            igdb_id=best.candidate.igdb_id,
            name=best.candidate.name,
            score=round(best.score, 4),
        )
    unsure = decision.verdict == "unsure"
    return Resolved(
        verdict="unsure" if unsure else "unknown",
        why=decision.why,
        score=round(best.score, 4) if best is not None and unsure else None,
        choices=tuple(map(_choice, decision.ranked[:CHOICES])) if unsure else (),
    )


def _choice(scored: Scored) -> Choice:
    candidate = scored.candidate
    return Choice(igdb_id=candidate.igdb_id, name=candidate.name, year=candidate.year, score=round(scored.score, 4))
