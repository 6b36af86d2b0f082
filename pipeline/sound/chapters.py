"""Chapters and muted parts, in seconds of the original's time. Pure."""

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec

from models.printable import NAME_LENGTH, on_a_line
from pipeline.sound.records import Chapter, Muted

# What is on for a shorter time is a slip of the hand: it belongs to the chapter before it, in seconds.
SHORTEST = 10.0
NO_CATEGORY = "No category"
# More than any recording has (YouTube knows at most 100): a document with more is hostile.
MOST = 1000
# `1200-muted.ts`, `1200-unmuted.ts`: how Twitch calls segments whose sound it took away.
_MUTED_SEGMENT = re.compile(r"-(?:un)?muted\.\w+$")
_DURATION = re.compile(r"#EXTINF:([0-9]+(?:\.[0-9]+)?)")


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a stream as `stream_segments` has it, from `started_at` until the next one: a category and a title."""

    started_at: datetime
    title: str | None = None
    game_id: int | None = None
    game: str | None = None


def chapters_of_info(raw: Sequence[Any] | None, seconds: float | None) -> tuple[Chapter, ...]:
    """Return the chapters of a yt-dlp document: in order, none twice, none beyond the end, each with a title."""
    starts: dict[float, str] = {}
    for chapter in (raw or ())[:MOST]:
        start = _number(chapter.get("start_time")) if isinstance(chapter, Mapping) else None
        if start is not None and (seconds is None or start < seconds):
            starts.setdefault(start, _title(chapter.get("title")))
    named = (
        Chapter(start=start, title=title or f"Chapter {number}")
        for number, (start, title) in enumerate(sorted(starts.items()), 1)
    )
    return tuple(_joined(named))


def chapters_of_stream(
    parts: Iterable[Part], began_at: datetime, seconds: float | None, ended_at: datetime | None = None
) -> tuple[Chapter, ...]:
    """Return a chapter for each category of a stream that its recording shows, which `began_at` and lasts `seconds`.

    Where these are not known, the stream's end is the recording's. A recording of which no part is known has none.
    """
    if seconds is None and ended_at is not None:
        seconds = (ended_at - began_at).total_seconds()
    end = math.inf if seconds is None else seconds
    starts = [((part.started_at - began_at).total_seconds(), part) for part in sorted(parts, key=_started_at)]
    bounds = [*(start for start, _ in starts), end]
    shown = [
        Chapter(start=max(start, 0.0), title=_called(part), game_id=part.game_id)
        for (start, part), until in zip(starts, bounds[1:], strict=True)
        if min(until, end) - max(start, 0.0) >= min(SHORTEST, end)
    ]
    # The first one is what was on at the beginning, also where the recording begins before the stream was seen.
    first = [msgspec.structs.replace(chapter, start=0.0) for chapter in shown[:1]]
    return tuple(_joined([*first, *shown[1:]]))


def muted_of_helix(raw: Sequence[Mapping[str, Any]] | None) -> tuple[Muted, ...] | None:
    """Return the muted parts of a video as Helix has them (`offset`, `duration`, seconds); None where nobody said.

    Helix says null for a video without any (https://dev.twitch.tv/docs/api/reference/#get-videos): call this only with
    what an answer of it held, and take null there for none.
    """
    if raw is None:
        return None
    return _merged(_muted(part.get("offset"), part.get("duration")) for part in raw)


def muted_of_playlist(text: str) -> tuple[Muted, ...]:
    """Return the muted parts that an HLS playlist of Twitch names: its segments `…-muted.ts`, one after the other."""
    parts: list[Muted] = []
    at = length = 0.0
    for line in map(str.strip, text.splitlines()):
        if (duration := _DURATION.match(line)) is not None:
            length = float(duration[1])
        elif line and not line.startswith("#"):
            if _MUTED_SEGMENT.search(urlsplit(line).path):
                parts.append(Muted(start=at, seconds=length))
            at, length = at + length, 0.0
    return _merged(parts)


def _started_at(part: Part) -> datetime:
    return part.started_at


def _called(part: Part) -> str:
    return _title(part.game) or _title(part.title) or NO_CATEGORY


def _title(text: object) -> str:
    return on_a_line(" ".join(text.split()), NAME_LENGTH).strip() if isinstance(text, str) else ""


def _number(value: object) -> float | None:
    """Return a point in time; None for what is none: text, a negative or endless one."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e9:
        return None
    return round(float(value), 3)


def _joined(chapters: Iterable[Chapter]) -> Iterator[Chapter]:
    """Give chapters without those that go on with the one before them."""
    last: Chapter | None = None
    for chapter in chapters:
        if last is None or (chapter.title, chapter.game_id) != (last.title, last.game_id):
            yield chapter
            last = chapter


def _muted(start: object, seconds: object) -> Muted | None:
    begins, lasts = _number(start), _number(seconds)
    return None if begins is None or not lasts else Muted(start=begins, seconds=lasts)


def _merged(parts: Iterable[Muted | None]) -> tuple[Muted, ...]:
    """Return parts in order, those that touch or overlap as one."""
    merged: list[Muted] = []
    for part in sorted((part for part in parts if part is not None), key=lambda part: part.start):
        last = merged[-1] if merged else None
        # Durations are rounded to milliseconds, by Twitch or by us.
        if last is not None and part.start <= last.start + last.seconds + 0.01:
            end = max(last.start + last.seconds, part.start + part.seconds)
            merged[-1] = Muted(start=last.start, seconds=round(end - last.start, 3))
        else:
            merged.append(Muted(start=round(part.start, 3), seconds=round(part.seconds, 3)))
    return tuple(merged)
