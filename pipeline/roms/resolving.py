"""Match ROMs with games: by a person's decisions, else by title, platform and year; what is unsure waits for a person.

A person's answer is kept for the title with its platform and year, so it holds for all files of that work: those of
other folders, and those that come later.
"""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Literal

import msgspec
from sqlalchemy import ARRAY, BigInteger, ColumnElement, Connection, bindparam, exists, func, or_, select

from models import Game, GameMetadata, Platform, Rom, RomFolder, TitleDecision
from models.errors import UnknownThing, UsageError
from models.platforms import PLATFORMS
from pipeline.games.finding.finder import Choice
from pipeline.games.following.follows import games_for
from pipeline.games.mirror.state import load_state
from pipeline.games.platforms import called_all
from pipeline.games.store.decisions import Answer, Decisions, decide, forget, load_decisions, own_game
from pipeline.games.store.works import give_works
from pipeline.ingest.turn import take_turn
from pipeline.library.importing import review
from pipeline.library.records import Record
from pipeline.library.resolving import Resolved, answer_on, key_of_record, resolve
from pipeline.library.store.imports import WaitingLine, load_lines, open_import, put_lines
from pipeline.roms.store.matches import (
    Match,
    TitledRom,
    WorkKey,
    load_all,
    load_some,
    load_unmatched,
    write_matches,
)
from pipeline.roms.store.shelving import STORE, shelve

# The lasting import whose lines are titles of ROMs that wait for a person.
FORMAT = "roms"
ORIGIN = "ROMs"
# A release so many years from that of the entry is another game of the name, or a port that has an entry of its own.
YEARS_APART = 3
# The catalogue changes all the time; what it lacked yesterday it has today.
_AGAIN_AFTER = timedelta(days=1)
_ENTRIES = select(
    GameMetadata.igdb_id,
    func.date_part("year", func.timezone("UTC", GameMetadata.first_release_at)).label("year"),
    GameMetadata.platforms,
).where(GameMetadata.igdb_id == func.any(bindparam("ids", type_=ARRAY(BigInteger))))
_PLATFORMS = select(Platform.name).where(Platform.name.is_not(None))
# Machines that run one another's games, or that IGDB and collectors part otherwise, by our slugs.
_FAMILIES = tuple(
    frozenset(PLATFORMS[slug].name for slug in slugs.split())
    for slugs in (
        "dos windows",
        "nes famicom fds",
        "snes sfc satellaview sufami",
        "gb gbc",
        "megadrive sega32x megacd",
        "mastersystem gamegear sg-1000",
        "pcengine pcenginecd supergrafx",
        "neogeo neogeocd arcade",
        "ngp ngpc",
        "wonderswan wonderswancolor",
        "msx msx2 msxturbor",
        "amiga amigacd32 cdtv",
        "n64 n64dd",
        "apple2 apple2gs",
        "atari800 atari5200",
        "pc88 pc98",
    )
)
_WITHOUT_WORK = select(Game.id).where(
    Game.id == func.any(bindparam("ids", type_=ARRAY(BigInteger))), Game.work_id.is_(None)
)


class UnknownRom(UnknownThing):
    """The person has no ROM of that name or number."""


class IdentifiedRom(msgspec.Struct, frozen=True, kw_only=True):
    """A ROM of which it is known now which game it is; `name` is what the game is called."""

    rom_id: int
    folder_id: int
    game_id: int
    igdb_id: int | None
    platform: str
    name: str


class ResolvedRoms(msgspec.Struct, frozen=True, kw_only=True):
    """What came of looking up ROMs, which the numbers count; `identified` are those whose game was not known before.

    Titles of `unsure` ones wait for a person in the review queue. `unknown` ones are like nothing that the catalogue
    has; they are looked up again once it has changed.
    """

    identified: tuple[IdentifiedRom, ...] = ()
    sure: int = 0
    unsure: int = 0
    unknown: int = 0
    skipped: int = 0


class DueRoms(msgspec.Struct, frozen=True, kw_only=True):
    """ROMs of a person that are to be looked up; `present` are all works without a game that have a file there."""

    person_id: int
    roms: Sequence[TitledRom] = ()
    present: Mapping[WorkKey, TitledRom] = msgspec.field(default_factory=dict)


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a person's answer: the ROMs that it changed, and the lines of files that it settled too."""

    rom_ids: tuple[int, ...]
    identified: tuple[IdentifiedRom, ...] = ()
    lines: tuple[review.Settled, ...] = ()


Said = Literal["own", "skip"]


def due_roms(connection: Connection, *, person_id: int, now: datetime, folder_id: int | None = None) -> DueRoms:
    """Return the ROMs of a person, of one folder or of all, that are to be looked up.

    Those are such as were never looked up since the scan or a DAT named them; of those without a game such as a
    decision names, and once a day all, where the catalogue has changed.
    """
    state = load_state(connection)
    fresh = max(filter(None, (state.completed_at, state.swept_to)), default=None)
    if not _is_anything_due(connection, person_id, folder_id, fresh, now):
        return DueRoms(person_id=person_id)
    decisions = load_decisions(connection, person_id)
    unmatched = load_unmatched(connection, person_id, now.year)
    due = [
        rom
        for rom in unmatched
        if folder_id in {None, rom.folder_id} and (_is_due(rom, fresh, now) or _is_answered(rom, decisions))
    ]
    return DueRoms(person_id=person_id, roms=due, present=_present(unmatched))


def parts_of(due: DueRoms, works: int) -> Iterator[DueRoms]:
    """Yield what is due in parts of so many works, all files of each."""
    by_key: defaultdict[WorkKey, list[TitledRom]] = defaultdict(list)
    for rom in due.roms:
        by_key[rom.key].append(rom)
    waiting = iter(by_key.values())
    while part := list(islice(waiting, works)):
        yield msgspec.structs.replace(due, roms=[rom for roms in part for rom in roms])


def resolve_roms(connection: Connection, due: DueRoms, *, now: datetime) -> ResolvedRoms:
    """Look up ROMs inside the caller's transaction, all that are due or a part of them; returns what came of it.

    Sure ones get their game, an entry in the library, and make the game wanted; unsure titles wait in the review queue.
    Only once all are looked up it takes the turn to store, so call it before anything takes that.
    """
    if not due.roms:
        return ResolvedRoms()
    person_id = due.person_id
    decisions = load_decisions(connection, person_id)
    answers = _look_up(connection, due.roms, decisions)
    take_turn(connection)
    # Meanwhile another scan may have changed them, and a person may have answered.
    keys = {rom.id: rom.key for rom in due.roms}
    now_there = load_some(connection, person_id, keys, now.year)
    roms = [rom for rom in now_there if rom.is_unmatched and keys[rom.id] == rom.key]
    answers |= _answered_since(connection, roms, decisions, load_decisions(connection, person_id))
    games = _games_of(connection, answers.values())
    matches = [_match(rom, answers.get(rom.key), games, now) for rom in roms]
    write_matches(connection, matches)
    shelve(connection, person_id, _touched(roms, matches), now)
    _put_lines(connection, due, roms, answers, now)
    verdicts = [answers[rom.key].verdict if rom.is_game else "skip" for rom in roms]
    return ResolvedRoms(
        identified=_identified(connection, roms, matches),
        sure=verdicts.count("sure"),
        unsure=verdicts.count("unsure"),
        unknown=verdicts.count("unknown"),
        skipped=verdicts.count("skip"),
    )


def drop_lines(connection: Connection, person_id: int, now: datetime) -> int:
    """Take out of the review queue the titles of which no file is there any more; returns how many still wait.

    It takes the turn to store.
    """
    take_turn(connection)
    import_id = _open_lines(connection, person_id, now)
    present = {_line_of(key) for key in _present(load_unmatched(connection, person_id, now.year))}
    lines = load_lines(connection, person_id, waiting=True)
    waiting = [line.waiting for line in lines if line.import_id == import_id and line.waiting.line in present]
    put_lines(connection, import_id, waiting)
    return len(waiting)


def _present(roms: Iterable[TitledRom]) -> Mapping[WorkKey, TitledRom]:
    """Return the works that have a file which is there, each with one of them."""
    return {rom.key: rom for rom in roms if not rom.is_missing and rom.is_game}


def _answered_since(
    connection: Connection, roms: Sequence[TitledRom], before: Decisions, decisions: Decisions
) -> dict[WorkKey, Resolved]:
    """Return what works mean of which a person says otherwise than before."""
    if before.answers == decisions.answers:
        return {}
    records = [(rom, _record(rom)) for rom in roms if rom.is_game]
    changed = [rom for rom, record in records if answer_on(record, before) != answer_on(record, decisions)]
    return _look_up(connection, changed, decisions)


def settle(
    connection: Connection, person_id: int, rom_ids: Collection[int], said: int | Said, now: datetime
) -> Settled:
    """Keep a person's answer on ROMs for their titles, and give it to all files of those works; returns what it did.

    `said` is the number of a stored entry of IGDB, `own` for a game that IGDB lacks, or `skip` for none. What waits
    for the same answer in the review queue is settled with them. Takes the turn to store; raises `UsageError` for a
    ROM that the person does not have, or an entry that the catalogue lacks.
    """
    take_turn(connection)
    records = {key_of_record(record): record for record in map(_record, _chosen(connection, person_id, rom_ids, now))}
    if isinstance(said, int) and not _is_stored(connection, said):
        raise UsageError(f"IGDB {said} is not in the catalogue; `lootwire games search TITLE` asks IGDB and stores it")
    for key, record in records.items():
        decide(connection, person_id, key, _answer(connection, record, said, now), now)
    lines = review.apply_decisions(connection, person_id, now)
    applied = apply_decisions(connection, person_id, now)
    return msgspec.structs.replace(applied, lines=tuple(lines))


def unmatch(connection: Connection, person_id: int, rom_ids: Collection[int], now: datetime) -> Settled:
    """Have ROMs be no game, for ever, with all files of those works; otherwise as `settle`."""
    return settle(connection, person_id, rom_ids, "skip", now)


def forget_answers(connection: Connection, person_id: int, rom_ids: Collection[int], now: datetime) -> tuple[int, ...]:
    """Take back what a person said of ROMs: they and all files of those works are looked up again; returns their ids.

    Takes the turn to store; raises `UnknownRom` for one that the person does not have.
    """
    take_turn(connection)
    records = [_record(rom) for rom in _chosen(connection, person_id, rom_ids, now)]
    for key in {key_of_record(record) for record in records}:
        forget(connection, person_id, key)
    return reopen(connection, person_id, records, now)


def reopen(connection: Connection, person_id: int, records: Iterable[Record], now: datetime) -> tuple[int, ...]:
    """Have all files of works be looked up again whose answer was taken back; returns their ids.

    Call it where lines of the format `roms` wait again, in a transaction that took the turn to store.
    """
    keys = {key_of_record(record) for record in records}
    held = [
        rom
        for rom in load_all(connection, person_id, now.year)
        if rom.pinned_at is not None and key_of_record(_record(rom)) in keys
    ]
    rom_ids = [rom.id for rom in held]
    write_matches(connection, [Match(rom_id, None, None, None, None, None, None) for rom_id in rom_ids])
    shelve(connection, person_id, {rom.game_id for rom in held if rom.game_id is not None}, now)
    return tuple(rom_ids)


def apply_decisions(connection: Connection, person_id: int, now: datetime) -> Settled:
    """Give ROMs the games that a person's answers name, wherever those were given; returns what it changed.

    Belongs in a transaction that took the turn to store.
    """
    decisions = load_decisions(connection, person_id)
    answered = [rom for rom in load_all(connection, person_id, now.year) if _is_answered(rom, decisions)]
    answers = _look_up(connection, answered, decisions)
    games = _games_of(connection, answers.values())
    pairs = [(rom, _match(rom, answers[rom.key], games, now)) for rom in answered]
    changed = [(rom, match) for rom, match in pairs if _is_changed(rom, match)]
    roms, matches = [rom for rom, _ in changed], [match for _, match in changed]
    write_matches(connection, matches)
    shelve(connection, person_id, _touched(roms, matches), now)
    return Settled(rom_ids=tuple(rom.id for rom in roms), identified=_identified(connection, roms, matches))


def _is_anything_due(
    connection: Connection, person_id: int, folder_id: int | None, fresh: datetime | None, now: datetime
) -> bool:
    """Return whether any ROM is due, before the turn is taken: most scans find none."""
    ours = (
        select(Rom.id)
        .join(RomFolder, RomFolder.id == Rom.folder_id)
        .where(RomFolder.person_id == person_id, RomFolder.removed_at.is_(None), Rom.pinned_at.is_(None))
    )
    if folder_id is not None:
        ours = ours.where(Rom.folder_id == folder_id)
    since: list[ColumnElement[bool]] = [Rom.matched_at.is_(None)]
    if fresh is not None:
        since.append(Rom.game_id.is_(None) & (Rom.matched_at < min(fresh, now - _AGAIN_AFTER)))
    if connection.scalar(select(exists(ours.where(or_(*since))))):
        return True
    newest = select(func.max(TitleDecision.made_at)).where(TitleDecision.person_id == person_id).scalar_subquery()
    if not connection.scalar(select(exists(ours.where(Rom.game_id.is_(None), Rom.matched_at < newest)))):
        return False
    decisions = load_decisions(connection, person_id)
    unmatched = load_unmatched(connection, person_id, now.year)
    return any(folder_id in {None, rom.folder_id} and _is_answered(rom, decisions) for rom in unmatched)


def _is_due(rom: TitledRom, fresh: datetime | None, now: datetime) -> bool:
    if rom.matched_at is None:
        return True
    return rom.game_id is None and fresh is not None and rom.matched_at < min(fresh, now - _AGAIN_AFTER)


def _is_answered(rom: TitledRom, decisions: Decisions) -> bool:
    return rom.is_game and answer_on(_record(rom), decisions) is not None


def _record(rom: TitledRom) -> Record:
    """Return the line that a work is in the review queue, and that answers are kept for.

    It says of no ownership: what is owned follows from the files.
    """
    return Record(
        line=_line_of(rom.key),
        written=rom.title,
        year=rom.year,
        store=STORE,
        platforms=(rom.platform,) if rom.platform else (),
    )


def _line_of(key: WorkKey) -> int:
    """Return the number of a work's line, the same whenever it comes."""
    return int.from_bytes(hashlib.blake2b("\n".join(map(str, key)).encode(), digest_size=6).digest()) + 1


def _look_up(connection: Connection, roms: Sequence[TitledRom], decisions: Decisions) -> dict[WorkKey, Resolved]:
    """Return what works mean; each is looked up once, however many files it has."""
    by_key = {rom.key: rom for rom in roms if rom.is_game}
    resolved = resolve(connection, [_record(rom) for rom in by_key.values()], decisions)
    sure = [each.igdb_id for each in resolved if each.igdb_id is not None and not each.is_decided]
    entries = {row.igdb_id: row for row in connection.execute(_ENTRIES, {"ids": sure})}
    of_igdb = frozenset(called_all(filter(None, connection.scalars(_PLATFORMS)))) if entries else frozenset()
    return {
        rom.key: _fitting(rom, each, entries.get(each.igdb_id or 0), of_igdb)
        for rom, each in zip(by_key.values(), resolved, strict=True)
    }


def _fitting(rom: TitledRom, resolved: Resolved, entry: Any, of_igdb: Collection[str]) -> Resolved:
    """Return what a work means; that is unsure where the entry is of another time, or runs on other platforms alone.

    What is no platform to IGDB (`of_igdb` are its own), such as ScummVM, speaks against nothing.
    """
    if resolved.verdict != "sure" or entry is None:
        return resolved
    year = None if entry.year is None else int(entry.year)
    why = _misfit(rom, year, called_all(entry.platforms), of_igdb)
    if why is None:
        return resolved
    choice = Choice(igdb_id=entry.igdb_id, name=resolved.name or "", year=year, score=resolved.score or 0.0)
    return Resolved(
        verdict="unsure", why=f"`{choice.name}` (IGDB {choice.igdb_id}) {why}", score=resolved.score, choices=(choice,)
    )


def _misfit(rom: TitledRom, year: int | None, platforms: Sequence[str], of_igdb: Collection[str]) -> str | None:
    """Return why an entry of a year and of some platforms is not what a work's title says; None where it may be."""
    if rom.year is not None and year is not None and abs(rom.year - year) > YEARS_APART:
        return f"came out in {year}, {abs(rom.year - year)} years from {rom.year}"
    alike = next((family for family in _FAMILIES if rom.platform in family), {rom.platform})
    if platforms and rom.platform in of_igdb and alike.isdisjoint(platforms):
        return f"is not known to run on {rom.platform}: IGDB has it for {', '.join(platforms[:3])}"
    return None


def _games_of(connection: Connection, answers: Iterable[Resolved]) -> dict[Resolved, int]:
    """Return our game of each sure answer; games and works that are not there yet are made."""
    sure = {each for each in answers if each.verdict == "sure"}
    by_entry = games_for(connection, {each.igdb_id for each in sure if each.igdb_id is not None})
    game_ids = {each: each.game_id or by_entry[each.igdb_id or 0] for each in sure}
    give_works(connection, list(connection.scalars(_WITHOUT_WORK, {"ids": sorted(set(game_ids.values()))})))
    return game_ids


def _match(rom: TitledRom, resolved: Resolved | None, games: Mapping[Resolved, int], now: datetime) -> Match:
    if resolved is None or resolved.verdict not in {"sure", "skip"}:
        return Match(rom.id, None, None, None, None, None, now)
    how = "hand" if resolved.is_decided else "title"
    pinned_at = (rom.pinned_at or now) if resolved.is_decided else None
    return Match(rom.id, games.get(resolved), resolved.igdb_id, how, resolved.score, pinned_at, now)


def _is_changed(rom: TitledRom, match: Match) -> bool:
    # An answer that names an entry which the catalogue has lost changes nothing.
    if match.pinned_at is None:
        return False
    return rom.how != match.how or (rom.game_id, rom.igdb_id) != (match.game_id, match.igdb_id)


def _touched(roms: Sequence[TitledRom], matches: Sequence[Match]) -> set[int]:
    """Return the games that ROMs were, and those that they are."""
    ids = {rom.game_id for rom in roms} | {match.game_id for match in matches}
    return {game_id for game_id in ids if game_id is not None}


def _identified(
    connection: Connection, roms: Sequence[TitledRom], matches: Sequence[Match]
) -> tuple[IdentifiedRom, ...]:
    new = [
        (rom, match, match.game_id)
        for rom, match in zip(roms, matches, strict=True)
        if match.game_id is not None and rom.game_id != match.game_id
    ]
    ids = sorted({game_id for *_, game_id in new})
    names = {row.id: row.name for row in connection.execute(select(Game.id, Game.name).where(Game.id.in_(ids)))}
    return tuple(
        IdentifiedRom(
            rom_id=rom.id,
            folder_id=rom.folder_id,
            game_id=game_id,
            igdb_id=match.igdb_id,
            platform=rom.platform,
            name=names[game_id],
        )
        for rom, match, game_id in new
    )


def _put_lines(
    connection: Connection,
    due: DueRoms,
    roms: Sequence[TitledRom],
    answers: Mapping[WorkKey, Resolved],
    now: datetime,
) -> None:
    """Make the lines that wait fit what is unsure now, of these ROMs."""
    unsure = {key: each for key, each in answers.items() if each.verdict == "unsure" and key in due.present}
    waiting = [_waiting(_record(due.present[key]), resolved) for key, resolved in unsure.items()]
    asked = {_line_of(rom.key) for rom in roms} | {line.line for line in waiting}
    put_lines(connection, _open_lines(connection, due.person_id, now), waiting, among=asked)


def _open_lines(connection: Connection, person_id: int, now: datetime) -> int:
    """Return the lasting import whose lines are titles of ROMs that wait."""
    return open_import(connection, person_id=person_id, format_=FORMAT, name=ORIGIN, digest=FORMAT.encode(), now=now)


def _waiting(record: Record, resolved: Resolved) -> WaitingLine:
    return WaitingLine(
        line=record.line,
        written=_shown(record),
        record=msgspec.json.decode(msgspec.json.encode(record), type=dict[str, Any]),
        verdict=resolved.verdict,
        score=resolved.score,
        choices=tuple(msgspec.json.decode(msgspec.json.encode(choice)) for choice in resolved.choices),
        explanation=resolved.why,
    )


def _shown(record: Record) -> str:
    """Return a title with its year and platform, as a person recognises it in the queue."""
    year = f" ({record.year})" if record.year is not None else ""
    return f"{record.written}{year}" + "".join(f", {platform}" for platform in record.platforms)


def _chosen(connection: Connection, person_id: int, rom_ids: Collection[int], now: datetime) -> list[TitledRom]:
    roms = load_some(connection, person_id, rom_ids, now.year)
    if missing := sorted(set(rom_ids) - {rom.id for rom in roms}):
        raise UnknownRom(f"there is no ROM {missing[0]}; `lootwire roms show` lists those that there are")
    return roms


def _is_stored(connection: Connection, igdb_id: int) -> bool:
    stored = select(exists().where(GameMetadata.igdb_id == igdb_id, GameMetadata.removed_at.is_(None)))
    return bool(connection.scalar(stored))


def _answer(connection: Connection, record: Record, said: int | Said, now: datetime) -> Answer:
    if isinstance(said, int):
        return Answer(verdict="is", igdb_id=said)
    if said == "skip":
        return Answer(verdict="skip")
    return Answer(verdict="own", game_id=own_game(connection, record.written, record.year, now))
