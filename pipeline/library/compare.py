"""What a line adds to what is known: new, changed or the same. Pure.

What files say is joined: the order in which they come in does not matter, and coming again they change nothing.
Playtime never shrinks; of two statuses the further one counts, of two ratings the finer and then the higher, of two
dates the more precise; tags and notes are kept together. A source that is asked again and again (`is_source`) says how
things are now, so its ownership and title replace the old ones. What a person set by hand stays in any case.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime
from typing import Any, TypeVar

import msgspec

from models.periods import read_period
from pipeline.library.records import PlaythroughRecord, Record

HAND, IMPORT = "hand", "import"
_OWNERSHIPS = ("wished", "lent", "shared", "subscription", "owned", "sold")
_STATUSES = ("backlog", "paused", "playing", "abandoned", "endless", "finished", "mastered")
_COMPLETIONS = ("main", "extras", "all")
_Sorted = TypeVar("_Sorted", int, str, date, datetime, tuple[str, ...])
# Between the notes of several files.
_BETWEEN = "\n---\n"


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A field with its old and its new value, as JSON has it."""

    field: str
    old: Any
    new: Any


class EntryFacts(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of a library as machines write it."""

    game_id: int
    igdb_id: int | None
    title: str
    ownership: str
    acquired_on: date | None = None
    playtime_seconds: int | None = None
    last_played_at: datetime | None = None
    is_hidden: bool = False


class StateFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of a work."""

    status: str | None = None
    rating: float | None = None
    rating_scale: int | None = None
    is_favourite: bool = False
    tags: tuple[str, ...] = ()
    notes: str | None = None
    series: str | None = None
    name: str | None = None
    year: int | None = None
    genres: tuple[str, ...] | None = None
    cover_url: str | None = None

    @property
    def is_any(self) -> bool:
        """Whether anything is said."""
        return self != StateFacts()


class ThroughFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A playthrough as a file says it."""

    game_id: int
    igdb_id: int | None
    platform: str
    status: str
    completion: str | None = None
    started: str | None = None
    finished: str | None = None
    seconds: int | None = None
    rating: float | None = None
    rating_scale: int | None = None
    notes: str | None = None
    is_replay: bool = False


def state_of(record: Record) -> StateFacts:
    """Return what a line says of its work."""
    return StateFacts(
        status=record.status,
        rating=_rating(record.rating),
        rating_scale=None if record.rating is None else record.rating_scale,
        is_favourite=record.is_favourite,
        tags=tuple(sorted(set(record.tags))),
        notes=_notes(record.notes),
        series=record.series,
        name=record.own_name,
        year=record.own_year,
        genres=record.genres or None,
        cover_url=record.cover_url,
    )


def through_of(record: PlaythroughRecord, game_id: int, igdb_id: int | None, platform: str) -> ThroughFacts:
    """Return a line's playthrough of a game; `platform` is what its own is called here."""
    fields = {name: getattr(record, name) for name in ThroughFacts.__struct_fields__ if hasattr(record, name)}
    fields["rating"] = _rating(record.rating)
    fields["rating_scale"] = None if record.rating is None else record.rating_scale
    fields["notes"] = _notes(record.notes)
    return ThroughFacts(**{**fields, "game_id": game_id, "igdb_id": igdb_id, "platform": platform})


def join_entries(
    known: EntryFacts, new: EntryFacts, *, is_source: bool = False, was_source: bool = False, is_decided: bool = False
) -> EntryFacts:
    """Return an entry after a line said something of it.

    With `was_source` a source has said it before, against which a file has no say; `is_decided` where a person said
    which game it is.
    """
    game = new if is_decided else min((known, new), key=_surest)
    current = new if is_source else known
    joined = EntryFacts(
        game_id=game.game_id,
        igdb_id=game.igdb_id,
        title=current.title,
        ownership=current.ownership,
        acquired_on=_least(known.acquired_on, new.acquired_on),
        playtime_seconds=_greatest(known.playtime_seconds, new.playtime_seconds),
        last_played_at=_greatest(known.last_played_at, new.last_played_at),
        is_hidden=known.is_hidden or new.is_hidden,
    )
    if is_source or was_source:
        return joined
    return msgspec.structs.replace(
        joined,
        title=min(known.title, new.title),
        ownership=max(known.ownership, new.ownership, key=_OWNERSHIPS.index),
    )


def join_states(known: StateFacts, new: StateFacts, by_hand: Collection[str]) -> StateFacts:
    """Return what is said of a work after a line said something of it; fields that were set `by_hand` stay."""
    rated = max((known, new), key=_rated)
    joined = {
        "status": _further(_STATUSES, known.status, new.status),
        "rating": rated.rating,
        "rating_scale": rated.rating_scale,
        "is_favourite": known.is_favourite or new.is_favourite,
        "tags": tuple(sorted({*known.tags, *new.tags})),
        "notes": _notes(known.notes, new.notes),
        "series": _least(known.series, new.series),
        "name": _least(known.name, new.name),
        "year": _least(known.year, new.year),
        "genres": _least(known.genres, new.genres),
        "cover_url": _least(known.cover_url, new.cover_url),
    }
    fixed = {*by_hand, *(("rating_scale",) if "rating" in by_hand else ())}
    return msgspec.structs.replace(known, **{name: value for name, value in joined.items() if name not in fixed})


def join_throughs(known: ThroughFacts, new: ThroughFacts, *, is_decided: bool = False) -> ThroughFacts:
    """Return a playthrough after its line came again."""
    game = new if is_decided else min((known, new), key=_surest)
    rated = max((known, new), key=_rated)
    return ThroughFacts(
        game_id=game.game_id,
        igdb_id=game.igdb_id,
        platform=_least(known.platform or None, new.platform or None) or "",
        status=_further(_STATUSES, known.status, new.status) or new.status,
        completion=_further(_COMPLETIONS, known.completion, new.completion),
        started=_first_of(known.started, new.started),
        finished=_last_of(known.finished, new.finished),
        seconds=_greatest(known.seconds, new.seconds),
        rating=rated.rating,
        rating_scale=rated.rating_scale,
        notes=_notes(known.notes, new.notes),
        is_replay=known.is_replay or new.is_replay,
    )


def status_by_end(status: str | None, ends: Iterable[str]) -> str | None:
    """Return the status of a work by what files say: one that waits by one file, and has an end by another, is over."""
    return max(ends, key=_STATUSES.index, default=status) if status == "backlog" else status


def differences(known: msgspec.Struct, new: msgspec.Struct) -> tuple[Change, ...]:
    """Return in which fields two of a kind differ; a game is named by its entry alone."""
    before, after = (_as_json(facts) for facts in (known, new))
    return tuple(
        Change(field=name, old=before[name], new=after[name]) for name in before if before[name] != after[name]
    )


def _as_json(facts: msgspec.Struct) -> Mapping[str, Any]:
    built: dict[str, Any] = msgspec.to_builtins(facts)
    return built


def _surest(facts: EntryFacts | ThroughFacts) -> tuple[bool, int, int]:
    """Order games by whether IGDB has them, so that all orders of files end with one."""
    return (facts.igdb_id is None, facts.igdb_id or 0, facts.game_id)


def _rating(rating: float | None) -> float | None:
    """Return a rating as its column keeps it, so that it is the same when it is read again."""
    return None if rating is None else round(rating, 2)


def _rated(facts: StateFacts | ThroughFacts) -> tuple[bool, int, float]:
    return (facts.rating is not None, facts.rating_scale or 0, facts.rating or 0.0)


def _further(order: tuple[str, ...], known: str | None, new: str | None) -> str | None:
    return max((each for each in (known, new) if each is not None), key=order.index, default=None)


def _greatest(known: _Sorted | None, new: _Sorted | None) -> _Sorted | None:
    return max((each for each in (known, new) if each is not None), default=None)


def _least(known: _Sorted | None, new: _Sorted | None) -> _Sorted | None:
    return min((each for each in (known, new) if each is not None), default=None)


def _notes(*notes: str | None) -> str | None:
    """Return notes together, each once and in an order of their own."""
    parts = {part.strip() for note in notes if note for part in note.split(_BETWEEN)} - {""}
    return _BETWEEN.join(sorted(parts)) or None


def _first_of(known: str | None, new: str | None) -> str | None:
    """Return the earlier of two starts; where one lies within the other, the more precise one."""
    return min((each for each in (known, new) if each is not None), key=_by_last, default=None)


def _last_of(known: str | None, new: str | None) -> str | None:
    """Return the later of two ends; where one lies within the other, the more precise one."""
    return max((each for each in (known, new) if each is not None), key=_by_first, default=None)


def _by_last(written: str) -> tuple[date, int, str]:
    first, last = _days(written)
    return last, -first.toordinal(), written


def _by_first(written: str) -> tuple[date, int, str]:
    first, last = _days(written)
    return first, -last.toordinal(), written


def _days(written: str) -> tuple[date, date]:
    period = read_period(written)
    if period is None or period.first is None or period.last is None:
        return date.min, date.max
    return period.first, period.last
