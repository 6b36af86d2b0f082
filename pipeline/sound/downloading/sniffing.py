"""What a file is by its first bytes, whatever its name or a server says. Pure."""

from collections.abc import Sequence

# How many bytes `extension_of` wants.
HEAD = 4096
_MAGIC: Sequence[tuple[int, bytes, str]] = (
    (0, b"ID3", "mp3"),
    (0, b"OggS", "ogg"),
    (0, b"fLaC", "flac"),
    (0, b"\x1aE\xdf\xa3", "webm"),
    (8, b"WAVE", "wav"),
    (8, b"AVI ", "avi"),
    (8, b"AIFF", "aiff"),
    (0, b"FLV", "flv"),
    (0, b"\x30\x26\xb2\x75", "wma"),
)
_MP4_BOXES = frozenset({b"ftyp", b"moov", b"moof", b"styp", b"mdat", b"free", b"skip", b"wide"})
_PAGES = (b"<!doctype html", b"<html", b"<head", b"<body", b"<?xml", b"<rss", b"<script")
TS_PACKET = 188


def extension_of(head: bytes) -> str | None:
    """Return the extension of a sound or video by its first `HEAD` bytes; None for what is none that is known."""
    for at, magic, extension in _MAGIC:
        if head[at : at + len(magic)] == magic:
            return extension
    if head[4:8] in _MP4_BOXES:
        # Sound alone, or with a picture: ffmpeg's `ipod` brand says the first.
        return "m4a" if head[8:11] == b"M4A" else "mp4"
    if len(head) > TS_PACKET and head[0] == head[TS_PACKET] == 0x47:
        return "ts"
    if len(head) > 2 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0:
        # Layer 0 is none of MPEG's: these are the frames of AAC (ADTS).
        return "aac" if head[1] & 0x06 == 0 else "mp3"
    return None


def is_text(head: bytes) -> bool:
    """Return whether these are the first bytes of a page or a document, sent in place of a sound."""
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:64].lower()
    return start.startswith(_PAGES) or start[:1] in {b"{", b"["}
