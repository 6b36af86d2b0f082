"""Tags and chapters as ffmpeg reads them from a file of metadata, which no title can break out of. Pure."""

import base64
import re
import struct
from collections.abc import Sequence

import msgspec

from models.printable import on_a_line, printable
from pipeline.sound.records import Chapter

_TITLE_LENGTH = 300
_TEXT_LENGTH = 4000
_SPECIAL = re.compile(r"([=;#\\\n])")


class Tags(msgspec.Struct, frozen=True, kw_only=True):
    """What a file says of itself; `date` as `2026-11-28`. Texts from outside are shortened and stripped here."""

    title: str
    artist: str | None = None
    album: str | None = None
    date: str | None = None
    genre: str | None = None
    comment: str | None = None


def metadata_of(tags: Tags | None, chapters: Sequence[Chapter], seconds: float, *, cover: bytes | None = None) -> str:
    """Return the text of ffmpeg's metadata file (`;FFMETADATA1`); chapters beyond the end are left out.

    `cover` is a JPEG that goes into a comment, as Ogg has pictures.
    """
    lines = [";FFMETADATA1"]
    for name, value in msgspec.structs.asdict(tags).items() if tags else ():
        if value and (text := _text(name, value)):
            lines.append(f"{name}={_escaped(text)}")
    if cover is not None:
        lines.append(f"METADATA_BLOCK_PICTURE={_escaped(_picture_block(cover))}")
    within = sorted(
        (chapter for chapter in chapters if 0 <= chapter.start < seconds), key=lambda chapter: chapter.start
    )
    ends = [*(chapter.start for chapter in within), seconds][1:]
    for chapter, end in zip(within, ends, strict=True):
        start, stop = round(chapter.start * 1000), round(end * 1000)
        title = _escaped(_text("title", chapter.title))
        lines += ["[CHAPTER]", "TIMEBASE=1/1000", f"START={start}", f"END={stop}", f"title={title}"]
    return "\n".join(lines) + "\n"


def _picture_block(jpeg: bytes) -> str:
    """Return a front cover as a block of FLAC (RFC 9639, 8.8), which comments of Ogg hold in base 64."""
    kind, mime, description = 3, b"image/jpeg", b""
    head = struct.pack(">II", kind, len(mime)) + mime + struct.pack(">I", len(description)) + description
    # Width, height, depth and colours: the picture says them itself.
    return base64.b64encode(head + struct.pack(">IIIII", 0, 0, 0, 0, len(jpeg)) + jpeg).decode()


def _text(name: str, value: str) -> str:
    # What is no valid Unicode cannot be written to a file.
    clean = value.encode("utf-8", "replace").decode()
    return printable(clean)[:_TEXT_LENGTH] if name == "comment" else on_a_line(clean, _TITLE_LENGTH).strip()


def _escaped(text: str) -> str:
    # ffmpeg takes an escaped backslash at the end of a line for one that goes on in the next.
    return _SPECIAL.sub(r"\\\1", text) + (" " if text.endswith("\\") else "")
