"""Turn one payload into its sources, snapshots and time; a payload that is no JSON is mended first."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import msgspec

from pipeline.errors import InvalidItem, SourceChanged
from pipeline.fetch.limits import MAX_ITEM
from pipeline.fetch.mending import fault_of, mend, readable
from pipeline.fetch.shapes import UNREADABLE
from pipeline.importer.entries import Entry
from pipeline.importer.recognise import recognise_all, updated_time
from pipeline.importer.repair import Mender
from pipeline.importer.times import Moment
from pipeline.ingest.source import ListSource, Snapshot

# Clocks and time zones differ; a payload cannot have been taken further ahead than this.
AHEAD = timedelta(days=1)
_CLOSES = {b"[": b"]", b"{": b"}"}


class Understood(msgspec.Struct, frozen=True, kw_only=True):
    """A payload with the sources that read it and the snapshot of each; most payloads have one source.

    `taken_for` says in words what it is. One that is not `whole` lacks what could not be mended.
    """

    payload: bytes
    taken_for: str
    parts: Sequence[tuple[ListSource, Snapshot]]
    whole: bool = True


class _Version(msgspec.Struct):
    """A line of a collection of versions: when its `data` was first seen."""

    firstSeen: datetime  # noqa: N815 - the collection's spelling


def understand(payload: bytes, path: str, sources: Sequence[ListSource]) -> Understood:
    """Return what a payload is; raises `SourceChanged` with what is wrong with it."""
    recognised = recognise_all(payload, path, sources)
    parts = [(source, _without_giants(payload, source.split(payload))) for source in recognised.sources]
    is_sound = all(snapshot.sound for _, snapshot in parts)
    if not is_sound and (fault := fault_of(payload)) is not None:
        # The sources mend what they read, but the person who has the file is to know of it.
        raise SourceChanged(f"not a list or object of sound JSON: {fault}")
    return Understood(payload=payload, taken_for=recognised.taken_for, parts=parts)


def understand_broken(
    payload: bytes, path: str, sources: Sequence[ListSource], mender: Mender, wrong: SourceChanged
) -> Understood:
    """Return what a payload that is no JSON seems to be; raises `SourceChanged` if it cannot be mended.

    Where more than a few characters are wrong the mended snapshot is not complete: it may add and update, but what it
    lacks does not count as gone.
    """
    if (sound := mend(payload)) is not None and sound != payload:
        try:
            return understand(sound, path, sources)
        except SourceChanged:
            raise wrong from None
    if is_json(payload) or (mended := mender.mend(payload)) is None:
        raise wrong
    try:
        recognised = recognise_all(mended, path, sources)
        parts = [(source, source.split(mended)) for source in recognised.sources]
    except SourceChanged:
        raise wrong from None
    # The last item of a file that was cut off may lack half of its name or of its channels: better unknown than wrong.
    last = -1 if _is_cut_off(payload) else None
    parts = [(source, msgspec.structs.replace(s, items=s.items[:last], complete=False)) for source, s in parts]
    if not any(snapshot.items for _, snapshot in parts):
        raise SourceChanged(f"{wrong}; mended, nothing whole is in it")
    return Understood(payload=payload, taken_for=recognised.taken_for, parts=parts, whole=False)


def _without_giants(payload: bytes, snapshot: Snapshot) -> Snapshot:
    """Set items aside that would make rows, events and feeds of many megabytes."""
    if len(payload) <= MAX_ITEM:
        return snapshot
    sizes = [memoryview(item.raw).nbytes for item in snapshot.items]
    items = [item for item, size in zip(snapshot.items, sizes, strict=True) if size <= MAX_ITEM]
    giants = [
        (bytes(item.raw), f"{size:,} bytes: larger than {MAX_ITEM // 2**20} MiB")
        for item, size in zip(snapshot.items, sizes, strict=True)
        if size > MAX_ITEM
    ]
    return msgspec.structs.replace(snapshot, items=items, broken=[*snapshot.broken, *giants])


def is_json(payload: bytes) -> bool:
    """Whether the payload is one JSON value; one that is nested too deeply to be read counts as one too."""
    try:
        msgspec.json.decode(payload, type=msgspec.Raw)
    except RecursionError:
        return True
    except UNREADABLE:
        return False
    return True


def _is_cut_off(payload: bytes) -> bool:
    stripped = payload.strip()
    return stripped[-1:] != _CLOSES.get(stripped[:1])


def lines_of(entry: Entry, payload: bytes) -> Iterator[tuple[Entry, bytes]]:
    """Yield the lines of a file that holds a payload on each, with its time where it tells; none for other files."""
    lines = payload.splitlines()
    if len(lines) < 2 or not all(line[:1] in _CLOSES and is_json(readable(line)) for line in lines if line.strip()):
        return
    for number, line in enumerate(lines, start=1):
        if line.strip():
            moment = _first_seen(readable(line)) or entry.moment
            yield msgspec.structs.replace(entry, path=f"{entry.path}:{number}", moment=moment), line


def _first_seen(line: bytes) -> Moment | None:
    try:
        at = msgspec.json.decode(line, type=_Version).firstSeen
    except UNREADABLE:
        return None
    return Moment(at, at) if at.tzinfo is not None else None


class Clock:
    """Says when payloads were taken: by their names, by a time in them, or else by the newest start they list.

    A file's own time is often that of a copy; a running campaign proves that the payload is not older than its
    start. Payloads without any of these follow the one before.
    """

    def __init__(self) -> None:
        self._last_guess: datetime | None = None

    def taken_at(self, entry: Entry, understood: Understood, now: datetime) -> datetime:
        """Return when a payload was taken; a time that has not come yet does not count."""
        moment = entry.moment
        if moment is not None and moment.earliest > now + AHEAD:
            moment = None
        if moment is not None and moment.earliest == moment.latest:
            return moment.earliest
        updated_at = updated_time(understood.payload)
        if updated_at is not None and updated_at <= now + AHEAD:
            return updated_at
        newest = _newest_start(understood, min(entry.modified_at, now))
        if moment is not None:
            return min(max(newest or moment.earliest, moment.earliest), moment.latest)
        guess = newest or self._last_guess or min(entry.modified_at, now)
        if self._last_guess is not None:
            guess = max(guess, self._last_guess + timedelta(seconds=1))
        self._last_guess = guess
        return guess


def _newest_start(understood: Understood, latest: datetime) -> datetime | None:
    starts = []
    for source, item in ((source, item) for source, snapshot in understood.parts for item in snapshot.items):
        try:
            record = source.parse(item)
        except InvalidItem:
            continue
        upcoming = getattr(record, "status", None) == "upcoming"
        if record.start_at is not None and record.start_at <= latest and not upcoming:
            starts.append(record.start_at)
    return max(starts, default=None)
