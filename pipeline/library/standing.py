"""What a work is to a person, in words, by what shops say and what the person says. Pure."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Literal

import msgspec

Word = Literal["owned", "playing", "backlog", "wished", "finished", "abandoned", "rom"]
WORDS: tuple[Word, ...] = ("owned", "playing", "backlog", "wished", "finished", "abandoned", "rom")
# Who has not played for so long is not playing, where nobody says otherwise.
PLAYING_FOR = timedelta(days=14)
ROM = "rom"
_OWNED = frozenset({"owned", "subscription", "shared"})
_OF_STATUS: dict[str, tuple[Word, ...]] = {
    "backlog": ("backlog",),
    "playing": ("playing",),
    "endless": ("playing",),
    "paused": (),
    "finished": ("finished",),
    "mastered": ("finished",),
    "abandoned": ("abandoned",),
}


class Owned(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of a library, as far as it says what the work is to its person."""

    game_id: int
    store: str
    platform: str
    ownership: str
    playtime_seconds: int | None = None
    last_played_at: datetime | None = None


class Played(msgspec.Struct, frozen=True, kw_only=True):
    """A playthrough, as far as it says what the work is to its person."""

    game_id: int
    status: str
    platform: str = ""
    finished: str | None = None
    seconds: int | None = None


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What a work is to a person: a row of `person_works`. `changes_at` is when time alone makes it something else."""

    words: tuple[Word, ...]
    status: str | None
    stores: tuple[str, ...]
    platforms: tuple[str, ...]
    seconds: int | None
    last_played_at: datetime | None
    changes_at: datetime | None


def standing_of(status: str | None, entries: Sequence[Owned], played: Sequence[Played], now: datetime) -> Standing:
    """Return what a work is to a person, of which they say `status`, at a moment.

    Where they say nothing it follows: from a playthrough's end that it is finished, from the last playing that it is
    played or paused, from having it and never playing that it waits.
    """
    has = [entry for entry in entries if entry.ownership in _OWNED]
    places = [*(entry.platform for entry in has), *(each.platform for each in played)]
    last_played_at = max((entry.last_played_at for entry in entries if entry.last_played_at is not None), default=None)
    derived = status or _derived(has, played, last_played_at, now)
    words = set(_OF_STATUS.get(derived or "", ()))
    if has:
        words.add("owned")
        words |= {"rom"} if any(entry.store == ROM for entry in has) else set()
    elif any(entry.ownership == "wished" for entry in entries):
        words.add("wished")
    changes_at = None
    if status is None and derived == "playing" and last_played_at is not None and not _is_under_way(played):
        changes_at = last_played_at + PLAYING_FOR
    return Standing(
        words=tuple(word for word in WORDS if word in words),
        status=derived,
        stores=tuple(dict.fromkeys(entry.store for entry in has)),
        platforms=tuple(dict.fromkeys(filter(None, places))),
        seconds=_seconds(entries, played),
        last_played_at=last_played_at,
        changes_at=changes_at,
    )


def _derived(has: Collection[Owned], played: Sequence[Played], last: datetime | None, now: datetime) -> str | None:
    if _is_under_way(played):
        return "playing"
    if ends := [each.status for each in played if _is_over(each)]:
        return "mastered" if "mastered" in ends else "finished"
    if played:
        return played[-1].status
    if last is not None:
        return "playing" if now - last < PLAYING_FOR else "paused"
    # Who keeps a hundred thousand ROMs does not mean to play them all.
    if all(entry.store == ROM for entry in has):
        return None
    return "paused" if any(entry.playtime_seconds for entry in has) else "backlog"


def _is_over(played: Played) -> bool:
    """Whether it came to its end; the day on which somebody gave up is none."""
    return played.status in {"finished", "mastered"} or (played.finished is not None and played.status != "abandoned")


def _is_under_way(played: Sequence[Played]) -> bool:
    return any(each.status == "playing" and each.finished is None for each in played)


def _seconds(entries: Sequence[Owned], played: Sequence[Played]) -> int | None:
    """Return how long a work was played: of each edition the greater of what shops and the journal say."""
    games = dict.fromkeys([*(entry.game_id for entry in entries), *(each.game_id for each in played)])
    sums = []
    for game_id in games:
        at_shops = [e.playtime_seconds for e in entries if e.game_id == game_id and e.playtime_seconds is not None]
        in_journal = [each.seconds for each in played if each.game_id == game_id and each.seconds is not None]
        if at_shops or in_journal:
            sums.append(max(sum(at_shops), sum(in_journal)))
    return sum(sums) if sums else None
