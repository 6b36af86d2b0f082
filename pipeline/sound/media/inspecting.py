"""Looks into a file of sound by ffmpeg, without decoding it."""

from datetime import timedelta
from pathlib import Path

from pipeline.sound.media.ffmpeg import Ffmpeg
from pipeline.sound.media.running import LOCAL, MediaFailed, run
from pipeline.sound.media.saying import Media, read_media
from pipeline.sound.records import Trouble

_LIMIT = timedelta(seconds=60)


def inspect(ffmpeg: Ffmpeg, path: Path) -> Media:
    """Return what a file holds, as its head says it; raises `MediaFailed` where it is no file with sound."""
    # Without an output it says what the input is, and ends with a complaint: nothing is written for no seconds instead.
    answer = run(
        ffmpeg.path,
        [*LOCAL, "-i", f"file:{path}", "-map", "0:a:0", "-c", "copy", "-t", "0", "-f", "null", "-"],
        limit=_LIMIT,
    )
    media = read_media(answer.text)
    if media is None:
        raise MediaFailed(Trouble(kind="broken", reason="there is no sound in it"))
    return media
