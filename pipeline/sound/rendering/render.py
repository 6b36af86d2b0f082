"""Measures a sound, and makes of its original what a profile wants: evenly loud, with tags, chapters and a cover."""

import hashlib
import tempfile
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec

from pipeline.sound.loudness.deciding import SHORT, Measured, Plan, correct, decide, misses_by, note_of
from pipeline.sound.loudness.filters import changing, measuring
from pipeline.sound.loudness.reading import read_ebur128
from pipeline.sound.media.encoding import Encoding, encoding_of, encoding_of_copy
from pipeline.sound.media.ffmpeg import Ffmpeg
from pipeline.sound.media.inspecting import inspect
from pipeline.sound.media.metadata import Tags, metadata_of
from pipeline.sound.media.running import LOCAL, MediaFailed, Run, run
from pipeline.sound.records import Chapter, Profile, Rendered, Trouble

# A day of sound takes some ten minutes of a core, or an hour where the range is changed.
LONGEST = timedelta(hours=6)
# A rendition that missed its target is made anew so often, and a long one, which costs, less often.
_CORRECTIONS, _CORRECTIONS_OF_LONG = 4, 2
_LONG = 900.0
# Of the whole, as shares of the progress: measuring, rendering, measuring what came of it.
_UNTIL_RENDERED = 0.8
_UNTIL_MEASURED = 0.2

Report = Callable[[float], None]


class _Work(msgspec.Struct, frozen=True, kw_only=True):
    """What stays the same however often a rendition is made."""

    ffmpeg: Ffmpeg
    original: Path
    to: Path
    encoding: Encoding
    channels: int
    metadata: Path
    cover: Path | None
    # Those that are given, else those that the original has.
    has_chapters: bool
    limit: timedelta


def measure(ffmpeg: Ffmpeg, path: Path, *, limit: timedelta = LONGEST, on_progress: Report | None = None) -> Measured:
    """Return how loud a file is as it will be heard (more than two channels mixed down), and how long it is.

    What is shorter than three seconds is measured repeated. `on_progress` gets the seconds done. Raises `MediaFailed`
    where it cannot be decoded.
    """
    return _measure_whole(ffmpeg, path, inspect(ffmpeg, path).channels, limit, on_progress)


def _measure_whole(ffmpeg: Ffmpeg, path: Path, channels: int, limit: timedelta, on_progress: Report | None) -> Measured:
    whole = _measure(ffmpeg, path, measuring(channels), limit, on_progress)
    if whole.seconds <= 0:
        raise MediaFailed(Trouble(kind="broken", reason="there is no sound in it"))
    if whole.seconds >= SHORT:
        return whole
    repeated = _measure(ffmpeg, path, measuring(channels, repeated=whole.seconds), limit, on_progress)
    return Measured(loudness=repeated.loudness, seconds=whole.seconds, is_repeated=True)


def render(
    ffmpeg: Ffmpeg,
    original: Path,
    profile: Profile,
    to: Path,
    *,
    measured: Measured | None = None,
    tags: Tags | None = None,
    chapters: Sequence[Chapter] = (),
    cover: Path | None = None,
    is_one_pass: bool = False,
    limit: timedelta = LONGEST,
    on_progress: Report | None = None,
) -> Rendered:
    """Write the rendition of an original to a file, whose format is the profile's whatever its name says.

    `measured` spares measuring it once more. Without `chapters` those of the original stay. `cover` is a JPEG.
    `on_progress` gets a share from 0 to 1, and what it raises ends the rendering. The result is measured, and made anew
    (a few times at most) where it misses the target.
    `Rendered.codec` is the ending that the file should have: `mp3`, `m4a`, `opus`, or of a copy also `ogg`, `flac`,
    `wav`. Raises `MediaFailed`; `to` may then be there in part.
    """
    media = inspect(ffmpeg, original)
    encoding = encoding_of_copy(media) if profile.is_copied else encoding_of(profile, media)
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=to.parent, prefix=".tags-", suffix=".txt") as metadata:
        work = _Work(
            ffmpeg=ffmpeg,
            original=original,
            to=to,
            encoding=encoding,
            channels=media.channels,
            metadata=Path(metadata.name),
            cover=cover if encoding.takes_cover else None,
            has_chapters=bool(chapters),
            limit=limit,
        )
        if not profile.is_copied and measured is None:
            seconds = media.seconds or 0.0
            report = _part(on_progress, seconds, 0, _UNTIL_MEASURED)
            measured = _measure_whole(ffmpeg, original, media.channels, limit, report)
        seconds = (media.seconds or 0.0) if measured is None else measured.seconds
        as_comment = cover.read_bytes() if cover is not None and encoding.takes_cover_as_comment else None
        metadata.write(metadata_of(tags, chapters, seconds, cover=as_comment))
        metadata.flush()
        if measured is None or profile.is_copied:
            return _copied(work, _part(on_progress, seconds, 0, 1))
        return _evened(work, profile, measured, decide(profile, measured, is_one_pass=is_one_pass), on_progress)


def _copied(work: _Work, on_progress: Report | None) -> Rendered:
    made = _make(work, None, on_progress)
    return Rendered(
        **_of_file(work.to),
        seconds=made.seconds,
        codec=work.encoding.ending,
        kbps=None,
        mode="copied",
        before=None,
        after=None,
    )


def _evened(work: _Work, profile: Profile, measured: Measured, plan: Plan, on_progress: Report | None) -> Rendered:
    """Render by a plan, measure, and render by a better one where that misses; the last result is never a worse one."""
    rendering = _part(on_progress, measured.seconds, _UNTIL_MEASURED, _UNTIL_RENDERED)
    checking = _part(on_progress, measured.seconds, _UNTIL_RENDERED, 1)
    corrections = _CORRECTIONS if measured.seconds < _LONG else _CORRECTIONS_OF_LONG
    tried: list[tuple[float, Plan]] = []
    while True:
        _make(work, changing(plan, measured.loudness, profile, work.channels), rendering)
        after = _measure_whole(work.ffmpeg, work.to, work.channels, work.limit, checking)
        tried.append((misses_by(plan, profile, after.loudness), plan))
        better = correct(plan, profile, after.loudness)
        if better is None or len(tried) > corrections + 1:
            break
        plan = better if len(tried) <= corrections else min(tried, key=lambda attempt: attempt[0])[1]
        if plan == tried[-1][1]:
            break
    return Rendered(
        **_of_file(work.to),
        seconds=after.seconds,
        codec=work.encoding.ending,
        kbps=work.encoding.kbps,
        mode=plan.mode,
        before=measured.loudness,
        after=after.loudness,
        note=note_of(profile, plan, after.loudness),
    )


def _make(work: _Work, filters: str | None, on_progress: Report | None) -> Run:
    """Write the rendition; its texts come by a file, so that none is an argument."""
    inputs: list[str | Path] = [
        *LOCAL,
        "-i",
        f"file:{work.original}",
        "-f",
        "ffmetadata",
        "-i",
        f"file:{work.metadata}",
    ]
    outputs: list[str | Path] = ["-map", "0:a:0"]
    if work.cover is not None:
        inputs += [
            "-protocol_whitelist",
            "file",
            "-f",
            "image2",
            "-pattern_type",
            "none",
            "-c:v",
            "mjpeg",
            "-i",
            f"file:{work.cover}",
        ]
        outputs += ["-map", "2:v:0", "-c:v", "copy", "-disposition:v:0", "attached_pic"]
    outputs += ["-map_metadata", "1", "-map_metadata:s", "-1", "-map_chapters", "1" if work.has_chapters else "0"]
    if filters is not None:
        outputs += ["-af", filters]
    outputs += [*work.encoding.arguments, "-fflags", "+bitexact", "-y", f"file:{work.to}"]
    return run(work.ffmpeg.path, [*inputs, *outputs], limit=work.limit, on_progress=on_progress)


def _measure(ffmpeg: Ffmpeg, path: Path, filters: str, limit: timedelta, on_progress: Report | None) -> Measured:
    arguments = [*LOCAL, "-i", f"file:{path}", "-map", "0:a:0", "-af", filters, "-f", "null", "-"]
    answer = run(ffmpeg.path, arguments, limit=limit, on_progress=on_progress)
    loudness = read_ebur128(answer.text)
    if loudness is None:
        raise MediaFailed(Trouble(kind="broken", reason="ffmpeg could not measure it"))
    return Measured(loudness=loudness, seconds=answer.seconds)


def _of_file(path: Path) -> Mapping[str, Any]:
    with path.open("rb") as file:
        return {"size": path.stat().st_size, "digest": hashlib.file_digest(file, "sha256").digest()}


def _part(on_progress: Report | None, seconds: float, start: float, end: float) -> Report | None:
    """Return what hears of seconds done, and reports the share of the whole work that they are."""
    if on_progress is None:
        return None

    def report(done: float) -> None:
        on_progress(start + (end - start) * (min(done / seconds, 1.0) if seconds > 0 else 0.0))

    return report
