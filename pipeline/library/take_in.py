"""Take in what a file or a shop says of a person's games: resolve, compare, store, and tell of it; one transaction."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec
from sqlalchemy import ARRAY, BigInteger, Connection, bindparam, func, select

from models import Game
from models.events import EventKind
from pipeline.events.append import NewEvent, append_events
from pipeline.games.finding.finder import Choice
from pipeline.games.following.follows import games_for
from pipeline.games.store.decisions import load_decisions
from pipeline.games.store.wanted import begin_wanting
from pipeline.games.store.works import give_works
from pipeline.ingest.turn import take_turn
from pipeline.library.compare import Change
from pipeline.library.details import of_finish, of_several, of_start
from pipeline.library.lines import KnownGame
from pipeline.library.records import Reading, Record
from pipeline.library.resolving import Resolved, resolve
from pipeline.library.shelf import Shelf
from pipeline.library.store.imports import WaitingLine, is_finished, put_lines
from pipeline.library.store.person_works import renew, renew_wanted

Verdict = Literal["new", "changed", "same", "unsure", "unknown", "no_game", "invalid"]
VERDICTS: tuple[Verdict, ...] = ("new", "changed", "same", "unsure", "unknown", "no_game", "invalid")
# These wait for a person.
WAITING = frozenset[Verdict]({"unsure", "unknown", "invalid"})
SAYS_NOTHING = "it says nothing but the title"
_GAMES = select(Game.id, Game.public_id, Game.name, Game.work_id).where(
    Game.id == func.any(bindparam("ids", type_=ARRAY(BigInteger)))
)


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a line, and why; `changes` are the fields of a changed one."""

    line: int
    written: str
    verdict: Verdict
    explanation: str
    igdb_id: int | None = None
    name: str | None = None
    score: float | None = None
    choices: tuple[Choice, ...] = ()
    changes: tuple[Change, ...] = ()


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a reading. `works` are those of which anything changed, `events` how many there are of each kind.

    `gone` and `returned` are entries that a whole answer of a source lacked for the third time, or has again.
    """

    lines: tuple[Line, ...]
    works: frozenset[int] = frozenset()
    gone: int = 0
    returned: int = 0
    sessions: int = 0
    # How many rows of lines that wait are new, other or gone.
    waiting_changed: int = 0
    events: Counter[str] = msgspec.field(default_factory=Counter)

    @property
    def counts(self) -> dict[str, int]:
        """How many lines have which verdict, those that occur."""
        counted = Counter(line.verdict for line in self.lines)
        return {verdict: counted[verdict] for verdict in VERDICTS if counted[verdict]}

    @property
    def is_changed(self) -> bool:
        """Whether anything was written."""
        return bool(self.works or self.sessions or self.waiting_changed)


def take_in(
    connection: Connection,
    reading: Reading,
    *,
    person_id: int,
    import_id: int | None,
    source_id: int | None,
    now: datetime,
    silent: bool,
    since: datetime | None = None,
) -> Taken:
    """Take in a reading inside the caller's transaction, and return what came of each line.

    It takes the turn to store, so call it before anything else. `import_id` keeps the lines that wait for a person; a
    sync has one import that lasts. With a `source_id` the reading is a shop's answer: what grew in playtime since
    `since`, its last answer, is a session; where the reading is whole, what it lacks is counted as absent. Silent
    readings make events that nobody is notified of; that a file's playthroughs have ended is always silent.
    """
    take_turn(connection)
    taken = take_lines(
        connection,
        reading,
        person_id=person_id,
        import_id=import_id,
        source_id=source_id,
        now=now,
        silent=silent,
        since=since,
    )
    if import_id is None:
        return taken
    changed = put_lines(connection, import_id, list(waiting_lines_of(reading, taken.lines)))
    return msgspec.structs.replace(taken, waiting_changed=changed)


def take_lines(
    connection: Connection,
    reading: Reading,
    *,
    person_id: int,
    import_id: int | None,
    source_id: int | None,
    now: datetime,
    silent: bool,
    since: datetime | None = None,
) -> Taken:
    """Do what `take_in` does, without a look at which lines wait: those of the reading are some of a file's."""
    asked = [record for record in reading.records if record.no_game is None]
    resolved = resolve(connection, asked, load_decisions(connection, person_id))
    games = _games_of(connection, resolved)
    shelf = Shelf(
        connection,
        reading,
        person_id=person_id,
        import_id=import_id,
        source_id=source_id,
        now=now,
        since=since,
        # What a person took off a list stays off it.
        is_again=import_id is not None and is_finished(connection, import_id),
    )
    answers = iter(resolved)
    lines = [
        _take_line(shelf, record, next(answers) if record.no_game is None else None, games)
        for record in reading.records
    ]
    broken = [
        Line(line=each.line, written=each.written, verdict="invalid", explanation=each.reason)
        for each in reading.broken
    ]
    if source_id is not None and reading.is_whole:
        shelf.count_absences({(record.store, record.external_id) for record in reading.records})
    shelf.write()
    if shelf.works:
        renew(connection, person_id, shelf.works, now)
        if renew_wanted(connection, now):
            begin_wanting(connection, now)
    return Taken(
        lines=tuple(sorted([*lines, *broken], key=lambda line: line.line)),
        works=frozenset(shelf.works),
        gone=len(shelf.gone),
        returned=len(shelf.returned),
        sessions=len(shelf.sessions),
        events=_append(connection, shelf, reading, person_id, source_id, now, silent=silent),
    )


def _take_line(shelf: Shelf, record: Record, resolved: Resolved | None, games: Mapping[Resolved, KnownGame]) -> Line:
    if resolved is None:
        return _line(record, "no_game", record.no_game or "")
    if resolved.verdict == "skip":
        return _line(record, "no_game", resolved.why)
    if resolved.verdict != "sure":
        shelf.place(record, resolved, None)
        return _line(record, resolved.verdict, resolved.why, resolved)
    game = games[resolved]
    if not says_anything(record):
        return _line(record, "same", SAYS_NOTHING, resolved, game)
    is_new, changes = shelf.put(record, resolved, game)
    verdict: Verdict = "new" if is_new else "changed" if changes else "same"
    return _line(record, verdict, resolved.why, resolved, game, () if is_new else changes)


def says_anything(record: Record) -> bool:
    """Return whether a line says more of a game than that there is one."""
    has = (record.ownership, record.playtime_seconds, record.status, record.rating, record.notes, record.series)
    own = (record.own_name, record.own_year, record.cover_url)
    lists = (record.tags, record.playthroughs, record.placings, record.genres)
    return any(each is not None for each in (*has, *own)) or any(lists) or record.is_favourite


def _line(
    record: Record,
    verdict: Verdict,
    why: str,
    resolved: Resolved | None = None,
    game: KnownGame | None = None,
    changes: tuple[Change, ...] = (),
) -> Line:
    return Line(
        line=record.line,
        written=record.written,
        verdict=verdict,
        explanation=why,
        igdb_id=resolved.igdb_id if resolved is not None else None,
        name=(resolved.name if resolved is not None else None) or (game.name if game is not None else None),
        score=resolved.score if resolved is not None else None,
        choices=resolved.choices if resolved is not None else (),
        changes=changes,
    )


def _games_of(connection: Connection, resolved: Iterable[Resolved]) -> dict[Resolved, KnownGame]:
    """Return our game of each sure line, with its work; games and works that are not there yet are made."""
    sure = [each for each in resolved if each.verdict == "sure"]
    by_entry = games_for(connection, {each.igdb_id for each in sure if each.igdb_id is not None})
    ids = {each: each.game_id or by_entry[each.igdb_id or 0] for each in sure}
    rows = {row.id: row for row in connection.execute(_GAMES, {"ids": sorted(set(ids.values()))})} if ids else {}
    lacking = [game_id for game_id, row in rows.items() if row.work_id is None]
    works = {game_id: row.work_id for game_id, row in rows.items()} | give_works(connection, lacking)
    return {
        each: KnownGame(
            id=game_id,
            igdb_id=each.igdb_id,
            public_id=rows[game_id].public_id,
            name=rows[game_id].name,
            work_id=works[game_id],
        )
        for each, game_id in ids.items()
    }


def waiting_lines_of(reading: Reading, lines: Sequence[Line]) -> Iterable[WaitingLine]:
    """Yield the lines of a reading that wait for a person, as they are kept."""
    records = {record.line: record for record in reading.records}
    for line in lines:
        if line.verdict in WAITING:
            record = records.get(line.line) if line.verdict != "invalid" else None
            yield WaitingLine(
                line=line.line,
                written=line.written,
                record=_as_json(record) if record is not None else {},
                verdict=line.verdict,
                score=line.score,
                choices=tuple(_as_json(choice) for choice in line.choices),
                explanation=line.explanation,
            )


def _as_json(value: msgspec.Struct) -> dict[str, Any]:
    decoded: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(value))
    return decoded


def _append(
    connection: Connection,
    shelf: Shelf,
    reading: Reading,
    person_id: int,
    source_id: int | None,
    now: datetime,
    *,
    silent: bool,
) -> Counter[str]:
    origin = reading.taken_for
    events = [
        *of_several(EventKind.LIBRARY_ADDED, shelf.added, person_id, origin, now),
        *of_several(EventKind.LIBRARY_GONE, shelf.gone, person_id, origin, now),
        *of_several(EventKind.LIBRARY_RETURNED, shelf.returned, person_id, origin, now),
        *(of_start(game, person_id, origin, now) for game in shelf.started),
    ]
    finished: list[NewEvent] = [of_finish(finish, person_id, origin, now) for finish in shelf.finished]
    counted = append_events(connection, events, source_id=source_id, silent=silent, now=now)
    return counted + append_events(
        connection, finished, source_id=source_id, silent=silent or source_id is None, now=now
    )
