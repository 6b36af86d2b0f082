"""Makes the square pictures that podcast apps want, by ffmpeg: 1400 pixels, JPEG."""

import colorsys
import hashlib
import re
import tempfile
import textwrap
import unicodedata
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from models.printable import on_a_line
from pipeline.sound.media.ffmpeg import Ffmpeg
from pipeline.sound.media.running import MediaFailed, run

# Apple asks for 1400 to 3000.
PIXELS = 1400
_LIMIT = timedelta(seconds=60)
_PICTURES = "image2,jpeg_pipe,png_pipe,webp_pipe,gif,bmp_pipe,mov"
# A picture that claims to be larger is a trap.
_MOST_PIXELS = "60000000"
_JPEG = ("-map_metadata", "-1", "-frames:v", "1", "-pix_fmt", "yuvj420p", "-q:v", "3", "-fflags", "+bitexact")
_MARGIN = 120
_LONGEST_TITLE = 120
# The sizes of letters that are tried, and how wide a letter is of its height, on average.
_SIZES = (200, 160, 130, 105, 85, 70)
_WIDTH = 0.6
# What the fonts that systems come with all have; of others nobody knows before boxes stand in their place.
_SCRIPTS = ("LATIN ", "GREEK ", "CYRILLIC ")
_OTHER_LETTERS = frozenset("–—‘’“”„…•€£§©®°±×÷«»¡¿·")
# Of a title of which less can be drawn nothing is.
_LEAST_DRAWN = 0.6


def square_of_picture(ffmpeg: Ffmpeg, picture: Path, to: Path) -> None:
    """Write a square JPEG of a picture: what is not square stands on a blurred copy of itself; raises `MediaFailed`."""
    size = f"{PIXELS}:{PIXELS}"
    graph = (
        f"[0:v]split[a][b];[a]scale={size}:force_original_aspect_ratio=increase,crop={size},gblur=sigma=40[behind];"
        f"[b]scale={size}:force_original_aspect_ratio=decrease[before];[behind][before]overlay=(W-w)/2:(H-h)/2[square]"
    )
    source = ["-protocol_whitelist", "file", "-format_whitelist", _PICTURES, "-max_pixels", _MOST_PIXELS]
    _write(ffmpeg, [*source, "-i", f"file:{picture}", "-filter_complex", graph, "-map", "[square]"], to)


def square_of_title(ffmpeg: Ffmpeg, title: str, to: Path) -> bool:
    """Write a square JPEG that shows a title, in colours of its own; returns whether the title is on it.

    It is not where the machine has no font, the ffmpeg no letters, or the title mostly such as not every font has:
    those are left out. Raises `MediaFailed` where there is no picture.
    """
    colours = _colours(title)
    corners = f"x0=0:y0=0:x1={PIXELS}:y1={PIXELS}"
    # The same title has the same picture: a seed, and no movement to speak of.
    still = "n=2:seed=1:d=1:speed=0.00001"
    background = f"gradients=size={PIXELS}x{PIXELS}:c0={colours[0]}:c1={colours[1]}:{corners}:{still}"
    source = ["-f", "lavfi", "-i", background]
    lines, size = _lines(drawable(title))
    if "drawtext" not in ffmpeg.lacks and lines:
        # The title is a file, so that nothing in it is read as ffmpeg's own words.
        with tempfile.TemporaryDirectory(prefix="lootwire-") as folder:
            text = Path(folder) / "title"
            text.write_text("\n".join(lines), encoding="utf-8")
            letters = (
                f"drawtext=textfile={_escaped(text)}:expansion=none:fontcolor=white:fontsize={size}:"
                f"line_spacing={size // 5}:"
                "text_align=center:x=(w-text_w)/2:y=(h-text_h)/2:shadowcolor=black@0.5:shadowx=4:shadowy=4"
            )
            try:
                _write(ffmpeg, [*source, "-vf", letters], to)
            except MediaFailed:
                # Without a font; where it is something else, the next try fails too.
                pass
            else:
                return True
    _write(ffmpeg, source, to)
    return False


def drawable(title: str) -> str:
    """Return a title with the letters that every usual font has; nothing where too much of it would be missing."""
    title = unicodedata.normalize("NFC", title)
    letters = [letter for letter in title if not letter.isspace()]
    drawn = [letter for letter in letters if _is_drawable(letter)]
    if len(drawn) < _LEAST_DRAWN * len(letters):
        return ""
    return " ".join("".join(letter for letter in title if letter.isspace() or _is_drawable(letter)).split())


def _is_drawable(letter: str) -> bool:
    if " " < letter < "\x7f" or letter in _OTHER_LETTERS:
        return True
    # Blocks beyond these have letters of the same scripts that few fonts have.
    return letter < "\u0530" and unicodedata.name(letter, "").startswith(_SCRIPTS)


def _write(ffmpeg: Ffmpeg, arguments: Sequence[str | Path], to: Path) -> None:
    new = to.with_name(f".{to.name}.new")
    try:
        run(ffmpeg.path, [*arguments, *_JPEG, "-f", "image2", "-update", "1", "-y", f"file:{new}"], limit=_LIMIT)
        new.replace(to)
    finally:
        new.unlink(missing_ok=True)


def _escaped(path: Path) -> str:
    """Return a path as a value of a filter: escaped once for its options, once for the chain of filters."""
    return re.sub(r"([\\'\[\],;])", r"\\\1", re.sub(r"([\\':])", r"\\\1", str(path)))


def _colours(title: str) -> tuple[str, str]:
    """Return two dark colours that white letters can be read on, the same for the same title."""
    hue = hashlib.sha256(title.encode("utf-8", "replace")).digest()[0] / 256
    pairs = (colorsys.hls_to_rgb(hue, 0.28, 0.55), colorsys.hls_to_rgb((hue + 0.12) % 1, 0.16, 0.6))
    first, second = ("0x" + "".join(f"{round(255 * part):02x}" for part in colour) for colour in pairs)
    return first, second


def _lines(title: str) -> tuple[Sequence[str], int]:
    """Break a title into lines that fit, in letters as large as possible."""
    text = on_a_line(title.encode("utf-8", "replace").decode(), _LONGEST_TITLE).strip()
    is_wide = sum(unicodedata.east_asian_width(letter) in {"W", "F"} for letter in text) * 2 > len(text)
    longest = max(map(len, text.split()), default=0)
    lines: Sequence[str] = ()
    for size in _SIZES:
        columns = int((PIXELS - 2 * _MARGIN) / (size * (1 if is_wide else _WIDTH)))
        lines = textwrap.wrap(text, columns)
        if (longest <= columns or is_wide) and len(lines) * size * 1.4 <= PIXELS - 2 * _MARGIN:
            return lines, size
    return lines, _SIZES[-1]
