"""Chapters and muted parts, in seconds of the original's time. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from pipeline.sound.records import Chapter, Muted


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a stream as `stream_segments` has it, from `started_at` until the next one: a category and a title."""

    started_at: datetime
    title: str | None = None
    game_id: int | None = None
    game: str | None = None


def chapters_of_info(raw: Sequence[Mapping[str, Any]] | None, seconds: float | None) -> tuple[Chapter, ...]:
    """Return the chapters of a yt-dlp document: in order, none twice, none beyond the end, each with a title."""
    raise NotImplementedError(raw, seconds)


def chapters_of_stream(
    parts: Iterable[Part], began_at: datetime, seconds: float | None, ended_at: datetime | None = None
) -> tuple[Chapter, ...]:
    """Return a chapter for each category of a stream that its recording shows, which `began_at` and lasts `seconds`."""
    raise NotImplementedError(parts, began_at, seconds, ended_at)


def muted_of_helix(raw: Sequence[Mapping[str, Any]] | None) -> tuple[Muted, ...] | None:
    """Return the muted parts of a video as Helix has them (`offset`, `duration`, seconds); None where nobody said."""
    raise NotImplementedError(raw)


def muted_of_playlist(text: str) -> tuple[Muted, ...]:
    """Return the muted parts that an HLS playlist of Twitch names: its segments `…-muted.ts`, one after the other."""
    raise NotImplementedError(text)
