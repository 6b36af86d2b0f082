"""What lines say of a person's games: the entries and playthroughs of each, and the keys that stay the same. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from models.names import name_key
from pipeline.games.platforms import COMPUTERS, called_all
from pipeline.library.compare import Change, EntryFacts, ThroughFacts, differences
from pipeline.library.records import COMPUTER_STORES, PlaythroughRecord, Record
from pipeline.library.resolving import title_of
from pipeline.library.store.entries import EntryKey


class KnownGame(msgspec.Struct, frozen=True, kw_only=True):
    """A game of ours with its work; `igdb_id` is the edition."""

    id: int
    igdb_id: int | None
    public_id: str
    name: str
    work_id: int


def played(record: Record) -> Sequence[PlaythroughRecord]:
    """Return a line's playthroughs; where it has hours of a game that nobody is said to have, they are one."""
    if record.playthroughs or record.ownership is not None or not record.playtime_seconds:
        return record.playthroughs
    status = "paused" if record.status is None or record.status == "backlog" else record.status
    return (PlaythroughRecord(key="played", status=status, seconds=record.playtime_seconds),)


def entries_of(record: Record, game: KnownGame) -> Iterator[tuple[EntryKey, EntryFacts]]:
    """Yield the entries that a line says a person has: one for each platform, of a shop's id only one."""
    if record.ownership is None:
        return
    store = record.store or "other"
    platforms = called_all(record.platforms) or ("",)
    if store in COMPUTER_STORES and COMPUTERS.issuperset(platforms):
        platforms = ("PC",)
    elif record.external_id:
        platforms = platforms[:1]
    facts = EntryFacts(
        game_id=game.id,
        igdb_id=game.igdb_id,
        title=title_of(record),
        ownership=record.ownership,
        acquired_on=record.acquired_on,
        playtime_seconds=record.playtime_seconds,
        last_played_at=record.last_played_at,
        is_hidden=record.is_hidden,
    )
    external_id = record.external_id or f"game/{game.public_id}"
    for number, platform in enumerate(platforms):
        # On which of them it was played the line does not say; it counts once.
        shown = facts if not number else msgspec.structs.replace(facts, playtime_seconds=None)
        yield EntryKey(store, external_id, platform), shown


def key_of_through(format_: str, record: Record, through: PlaythroughRecord) -> str:
    """Return the key of a line's playthrough; a second one that has the same in one file has `#2` after it."""
    return f"{format_}:{_identity(record)}:{through.key}"


def _identity(record: Record) -> str:
    """Return what a line is told apart by from all others of its format."""
    if record.store and record.external_id:
        return f"{record.store}/{record.external_id}"
    if record.igdb_id is not None:
        return f"igdb/{record.igdb_id}"
    platforms = ",".join(sorted(called_all(record.platforms)))
    return f"{name_key(title_of(record))}/{record.year or ''}/{name_key(platforms) if platforms else ''}"


def end_of(status: str, finished: str | None) -> str | None:
    """Return the status that a playthrough ends with, None for one that has no end."""
    if status in {"finished", "mastered"}:
        return status
    return "finished" if finished is not None and status != "abandoned" else None


def entry_changes(known: EntryFacts, joined: EntryFacts) -> tuple[Change, ...]:
    """Return the changes of an entry as a person reads them: which row its game is says nothing."""
    shown = tuple(change for change in differences(known, joined) if change.field != "game_id")
    return shown or (Change(field="game", old=known.title, new=joined.title),)


def in_short(facts: ThroughFacts) -> Mapping[str, Any]:
    """Return a playthrough as a change shows it: what it says, without which row its game is."""
    built: dict[str, Any] = msgspec.to_builtins(facts)
    left_out = {"game_id", "igdb_id"}
    # A rating of 0 says something, and equals False.
    says = {name: value for name, value in built.items() if value not in {None, ""} and value is not False}
    return {name: value for name, value in says.items() if name not in left_out}
