"""What is stored of a person's games, as lines change it one after the other; written at the end, many rows at once."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection

from pipeline.games.platforms import COMPUTERS, called, called_all
from pipeline.library.compare import (
    Change,
    EntryFacts,
    StateFacts,
    ThroughFacts,
    differences,
    join_entries,
    join_states,
    join_throughs,
    state_of,
    status_by_end,
    through_of,
)
from pipeline.library.details import HAD, Finish, Happened, happened
from pipeline.library.lines import KnownGame, end_of, entries_of, entry_changes, in_short, key_of_through, played
from pipeline.library.records import COMPUTER_STORES, ListRecord, PlaythroughRecord, Reading, Record
from pipeline.library.resolving import Resolved, title_of
from pipeline.library.store.entries import (
    EntryKey,
    StoredEntry,
    add_sessions,
    count_absences,
    entry_row,
    last_sessions,
    load_entries,
    note_gone,
    note_listed,
    put_entries,
)
from pipeline.library.store.placings import (
    Placed,
    StoredList,
    add_lines,
    add_list,
    load_lists,
    note_meant,
)
from pipeline.library.store.playthroughs import StoredThrough, load_throughs, put_throughs
from pipeline.library.store.states import load_states, put_states

# Whole answers in a row that lack a game before it is gone.
ABSENCES = 3
HIDDEN = "hidden"
_NO_CHANGE: tuple[Change, ...] = ()


class Shelf:
    """A person's entries, states, playthroughs and lists within one transaction.

    `works` are those of which anything changes; `added`, `gone`, `returned`, `started` and `finished` are what events
    tell of.
    """

    def __init__(
        self,
        connection: Connection,
        reading: Reading,
        *,
        person_id: int,
        import_id: int | None,
        source_id: int | None,
        now: datetime,
        since: datetime | None,
        is_again: bool,
    ) -> None:
        self.works: set[int] = set()
        self.added: list[Happened] = []
        self.gone: list[Happened] = []
        self.returned: list[Happened] = []
        self.started: list[Happened] = []
        self.finished: list[Finish] = []
        self.sessions: list[dict[str, Any]] = []
        self._connection, self._reading = connection, reading
        self._person_id, self._import_id, self._source_id = person_id, import_id, source_id
        self._now, self._since, self._is_again = now, since, is_again
        self._stored_entries = load_entries(connection, person_id)
        self._entries = {key: stored.facts for key, stored in self._stored_entries.items()}
        self._on_named_computers = any(
            key.platform != "PC" and key.platform in COMPUTERS and key.store in COMPUTER_STORES for key in self._entries
        )
        self._stored_states = load_states(connection, person_id)
        self._states = {work_id: stored.facts for work_id, stored in self._stored_states.items()}
        throughs = load_throughs(connection, person_id)
        self._stored_throughs = {stored.import_key: stored for stored in throughs if stored.import_key is not None}
        self._throughs = {key: stored.facts for key, stored in self._stored_throughs.items()}
        self._ends = _ends_by_work(throughs)
        self._known_works = {
            *self._states,
            *(stored.work_id for stored in self._stored_entries.values()),
            *(stored.work_id for stored in throughs),
        }
        self._lines_of_entries: dict[EntryKey, int] = {}
        self._dirty_states: set[int] = set()
        self._dirty_throughs: set[str] = set()
        self._seen_keys: Counter[str] = Counter()
        self._relisted: set[int] = set()
        self._missed: set[int] = set()
        self._vanished: set[int] = set()
        self._lists = {record.name: record for record in reading.lists}
        self._stored_lists = load_lists(connection, person_id) if self._has_placings() else {}
        self._placed: dict[str, list[tuple[int, int, Placed]]] = defaultdict(list)
        self._meant: dict[int, Placed] = {}
        self._grown: list[tuple[EntryKey, StoredEntry]] = []

    def put(self, record: Record, resolved: Resolved, game: KnownGame) -> tuple[bool, tuple[Change, ...]]:
        """Take in a line of a game; returns whether it is new, and else which fields it changes."""
        is_new, changes = False, list[Change]()
        was_known = game.work_id in self._known_works
        for named, facts in entries_of(record, game):
            key = self._key_of_entry(named, record)
            entry_is_new, entry_changes = self._put_entry(key, facts, record, resolved, game)
            is_new |= entry_is_new
            changes += entry_changes
        changes += self._put_state(record, game)
        for through in played(record):
            changes += self._put_through(record, through, resolved, game)
        changes += self.place(record, resolved, game)
        if changes or is_new:
            self.works.add(game.work_id)
            self._known_works.add(game.work_id)
        if record.ownership is None and changes and not was_known:
            is_new = True
        return is_new, tuple(changes)

    def place(self, record: Record, resolved: Resolved, game: KnownGame | None) -> list[Change]:
        """Put a line on the lists that it names, also one of which it is not known yet what it means."""
        changes = []
        for placing in record.placings:
            if self._is_again and placing.name not in self._stored_lists:
                # A person has removed the list since.
                continue
            line = Placed(
                written=title_of(record),
                work_id=game.work_id if game is not None else None,
                igdb_id=game.igdb_id if game is not None else None,
                score=resolved.score,
                explanation=resolved.why,
            )
            if self._is_placed(placing.name, line) or self._is_again:
                continue
            self._placed[placing.name].append((placing.place, record.line, line))
            changes.append(Change(field="list", old=None, new=f"{placing.name}, {placing.place}"))
        return changes

    def count_absences(self, listed: Collection[tuple[str | None, str | None]]) -> None:
        """Count what the whole answer of our source lacks; `listed` are the ids of all that it has, by their stores."""
        for key, stored in self._stored_entries.items():
            is_ours = stored.source_id == self._source_id and stored.last_seen_at is None
            if (
                not is_ours
                or stored.removed_at is not None
                or (key.store, key.external_id) in listed
                or key in self._lines_of_entries
            ):
                continue
            self._missed.add(stored.id)
            if stored.absences + 1 >= ABSENCES and stored.work_id is not None:
                self._vanished.add(stored.id)
                self.works.add(stored.work_id)
                if stored.hidden_at is None:
                    self.gone.append(happened(key, stored.facts.game_id, stored.facts.title))

    def write(self) -> None:
        """Write all that the lines have changed."""
        connection, now = self._connection, self._now
        put_entries(
            connection,
            [
                entry_row(
                    self._person_id,
                    key,
                    self._entries[key],
                    self._stored_entries.get(key),
                    now=now,
                    source_id=self._source_id,
                    import_id=self._import_id,
                    import_line=line,
                )
                for key, line in self._lines_of_entries.items()
            ],
        )
        count_absences(connection, self._missed)
        note_gone(connection, self._vanished, now)
        note_listed(connection, self._relisted)
        self._write_sessions()
        self._raise_statuses()
        put_states(
            connection, self._person_id, {w: self._states[w] for w in self._dirty_states}, self._stored_states, now
        )
        put_throughs(
            connection,
            self._person_id,
            {key: self._throughs[key] for key in sorted(self._dirty_throughs)},
            self._import_id,
            now,
        )
        self._write_lists()

    def _key_of_entry(self, key: EntryKey, record: Record) -> EntryKey:
        """Return the key of an entry: of a shop for computers there is one, also where a person said which computer."""
        if not self._on_named_computers or key.store not in COMPUTER_STORES or key.platform not in COMPUTERS:
            return key
        others = (*called_all(record.platforms), key.platform, *sorted(COMPUTERS))
        known = (key._replace(platform=platform) for platform in others if platform in COMPUTERS)
        return next((each for each in known if each in self._entries), key)

    def _put_entry(
        self, key: EntryKey, facts: EntryFacts, record: Record, resolved: Resolved, game: KnownGame
    ) -> tuple[bool, tuple[Change, ...]]:
        stored, known = self._stored_entries.get(key), self._entries.get(key)
        if stored is not None and stored.removed_at is not None:
            return False, _NO_CHANGE
        if facts.is_hidden and self._says_by_hand(game.work_id, HIDDEN):
            facts = msgspec.structs.replace(facts, is_hidden=False)
        if known is None:
            self._entries[key] = facts
            self._lines_of_entries[key] = record.line
            if facts.ownership in HAD and not facts.is_hidden:
                self.added.append(happened(key, game.id, game.name))
            return True, _NO_CHANGE
        is_source = self._source_id is not None
        joined = join_entries(
            known,
            facts,
            is_source=is_source,
            was_source=stored is not None and stored.source_id is not None,
            is_decided=resolved.is_decided,
        )
        if stored is not None and is_source:
            self._listed_again(key, stored, game)
        if joined == known:
            self._adopt(key, stored, record)
            return False, _NO_CHANGE
        self._entries[key] = joined
        self._lines_of_entries.setdefault(key, record.line)
        if stored is not None and stored.work_id is not None:
            # Where it is another game now, the old one's work is less than it was.
            self.works.add(stored.work_id)
        if stored is not None and stored.source_id is not None and stored.source_id == self._source_id:
            self._note_playing(key, stored, known, joined, game)
        return False, entry_changes(known, joined)

    def _adopt(self, key: EntryKey, stored: StoredEntry | None, record: Record) -> None:
        """Have a source watch an entry that a file brought, from now on."""
        if stored is not None and self._source_id is not None and stored.source_id is None:
            self._lines_of_entries.setdefault(key, record.line)

    def _listed_again(self, key: EntryKey, stored: StoredEntry, game: KnownGame) -> None:
        if stored.last_seen_at is None and not stored.absences:
            return
        # A shop may list a game in two lines.
        is_first = stored.id not in self._relisted
        self._relisted.add(stored.id)
        if stored.last_seen_at is not None and is_first:
            self.works.add(game.work_id)
            if stored.hidden_at is None:
                self.returned.append(happened(key, stored.facts.game_id, game.name))

    def _note_playing(
        self, key: EntryKey, stored: StoredEntry, known: EntryFacts, joined: EntryFacts, game: KnownGame
    ) -> None:
        before, after = known.playtime_seconds, joined.playtime_seconds
        if after is None or after <= (before or 0):
            return
        if before is not None:
            self._grown.append((key, stored))
        if not before and not joined.is_hidden:
            self.started.append(happened(key, joined.game_id, game.name))

    def _put_state(self, record: Record, game: KnownGame) -> tuple[Change, ...]:
        new = state_of(record)
        if not new.is_any:
            return _NO_CHANGE
        known = self._states.get(game.work_id, StateFacts())
        stored = self._stored_states.get(game.work_id)
        joined = join_states(known, new, stored.by_hand if stored is not None else frozenset())
        if joined == known:
            return _NO_CHANGE
        self._states[game.work_id] = joined
        self._dirty_states.add(game.work_id)
        return differences(known, joined)

    def _put_through(
        self, record: Record, through: PlaythroughRecord, resolved: Resolved, game: KnownGame
    ) -> tuple[Change, ...]:
        key = self._key_of_through(record, through)
        platform = called(through.platform)
        if not platform and len(record.platforms) == 1:
            platform = called(record.platforms[0])
        facts = through_of(through, game.id, game.igdb_id, platform)
        known, stored = self._throughs.get(key), self._stored_throughs.get(key)
        if stored is not None and stored.is_fixed:
            return _NO_CHANGE
        joined = facts if known is None else join_throughs(known, facts, is_decided=resolved.is_decided)
        if joined == known:
            return _NO_CHANGE
        self._throughs[key] = joined
        self._dirty_throughs.add(key)
        if (end := end_of(joined.status, joined.finished)) is not None:
            self._ends[game.work_id].add(end)
        if joined.finished is not None and (known is None or known.finished is None):
            self._finish(key, joined, game)
        if known is None:
            return (Change(field="playthrough", old=None, new=in_short(joined)),)
        return differences(known, joined)

    def _finish(self, key: str, facts: ThroughFacts, game: KnownGame) -> None:
        if facts.finished is not None and facts.status != "abandoned":
            self.finished.append(
                Finish(
                    identity=key,
                    game_id=game.id,
                    name=game.name,
                    platform=facts.platform,
                    finished=facts.finished,
                    completion=facts.completion,
                    seconds=facts.seconds,
                    rating=facts.rating,
                )
            )

    def _key_of_through(self, record: Record, through: PlaythroughRecord) -> str:
        """Return the key of a playthrough: the same whenever its line comes, in this file or a later one."""
        # Our own export names those of this very journal by the keys that they have here.
        if through.key in self._stored_throughs:
            return through.key
        plain = key_of_through(self._reading.format, record, through)
        self._seen_keys[plain] += 1
        times = self._seen_keys[plain]
        return plain if times == 1 else f"{plain}#{times}"

    def _raise_statuses(self) -> None:
        """Have what waits by one file, and has an end by another, be over, in whichever order they came."""
        for work_id in self.works:
            known = self._states.get(work_id)
            if known is None or self._says_by_hand(work_id, "status"):
                continue
            status = status_by_end(known.status, self._ends.get(work_id, ()))
            if status != known.status:
                self._states[work_id] = msgspec.structs.replace(known, status=status)
                self._dirty_states.add(work_id)

    def _write_sessions(self) -> None:
        lasts = last_sessions(self._connection, [stored.id for _, stored in self._grown])
        for key, stored in self._grown:
            grown = (self._entries[key].playtime_seconds or 0) - (stored.facts.playtime_seconds or 0)
            since = self._since or lasts.get(stored.id, stored.first_seen_at)
            self.sessions.append(
                {
                    "entry_id": stored.id,
                    # A clock that was set back makes no session that ends before it begins.
                    "since_at": min(since, self._now),
                    "until_at": self._now,
                    "seconds": grown,
                }
            )
        add_sessions(self._connection, self.sessions)

    def _write_lists(self) -> None:
        note_meant(self._connection, list(self._meant.values()))
        for name, placed in self._placed.items():
            stored = self._stored_lists.get(name)
            if stored is None:
                record = self._lists.get(name) or ListRecord(name=name)
                stored = add_list(self._connection, self._person_id, record, self._reading.taken_for, self._now)
            lines = [line for *_, line in sorted(placed, key=lambda each: each[:2])]
            add_lines(self._connection, stored, lines, self._now)

    def _is_placed(self, name: str, line: Placed) -> bool:
        """Return whether a list has a line already, which may learn now what it means."""
        stored = self._stored_lists.get(name)
        placed = [each for *_, each in self._placed.get(name, ())]
        for other in [*_lines_of(stored), *placed]:
            if line.work_id is not None and other.work_id == line.work_id:
                return True
            if other.written == line.written and (other.work_id is None or line.work_id is None):
                if other.id and line.work_id is not None:
                    self._meant[other.id] = msgspec.structs.replace(line, id=other.id)
                return bool(other.id) or line.work_id is None
        return False

    def _has_placings(self) -> bool:
        return bool(self._lists) or any(record.placings for record in self._reading.records)

    def _says_by_hand(self, work_id: int, field: str) -> bool:
        stored = self._stored_states.get(work_id)
        return stored is not None and field in stored.by_hand


def _lines_of(stored: StoredList | None) -> Iterable[Placed]:
    return stored.lines if stored is not None else ()


def _ends_by_work(throughs: Iterable[StoredThrough]) -> defaultdict[int, set[str]]:
    ends: defaultdict[int, set[str]] = defaultdict(set)
    for stored in throughs:
        end = end_of(stored.facts.status, stored.facts.finished)
        if end is not None and stored.work_id is not None and not stored.is_removed:
            ends[stored.work_id].add(end)
    return ends
