"""Makes the square pictures that podcast apps want, by ffmpeg: 1400 pixels, JPEG."""

from pathlib import Path

from pipeline.sound.media.ffmpeg import Ffmpeg

# Apple asks for 1400 to 3000.
PIXELS = 1400


def square_of_picture(ffmpeg: Ffmpeg, picture: Path, to: Path) -> None:
    """Write a square JPEG of a picture: what is not square stands on a blurred copy of itself; raises `MediaFailed`."""
    raise NotImplementedError


def square_of_title(ffmpeg: Ffmpeg, title: str, to: Path) -> None:
    """Write a square JPEG that shows a title, in colours of its own; raises `MediaFailed`.

    Where the machine has no font, it has the colours alone.
    """
    raise NotImplementedError
