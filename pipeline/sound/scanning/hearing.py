"""Hears what is in a file of a folder, by ffmpeg."""

from collections.abc import Callable
from pathlib import Path

from pipeline.sound.media.ffmpeg import find_ffmpeg
from pipeline.sound.media.inspecting import inspect
from pipeline.sound.media.running import MediaFailed
from pipeline.sound.scanning.reading import Hear, Heard, Unreadable


def ear_of(named: Path | None) -> Callable[[], Hear]:
    """Return what opens an ear: it finds the ffmpeg that is `named`, or the wheel's, and raises where there is none."""

    def open_ear() -> Hear:
        ffmpeg = find_ffmpeg(named)

        def hear(path: Path) -> Heard:
            try:
                media = inspect(ffmpeg, path)
            except MediaFailed as failure:
                raise Unreadable(failure.trouble.reason) from failure
            return Heard(media.seconds, media.codec)

        return hear

    return open_ear
