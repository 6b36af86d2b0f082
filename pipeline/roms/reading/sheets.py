"""Read the names that a cue, gdi or m3u lists. Pure."""

import re

from pipeline.roms.reading.hashing import as_text, ending

_CUE = re.compile(
    r'^\s*FILE\s+(?:"([^"]+)"|(\S.*?))(?:\s+(?:BINARY|MOTOROLA|WAVE|MP3|AIFF|FLAC|OGG)\S*)?\s*$',
    re.IGNORECASE | re.MULTILINE,
)
# Number, first sector, type, bytes a sector, name, offset.
_GDI = re.compile(r'^\s*\d+\s+\d+\s+\d+\s+\d+\s+(?:"([^"]+)"|(\S+))\s+\d+\s*$', re.MULTILINE)
SHEETS = frozenset({"cue", "gdi", "m3u", "m3u8"})


def sheet_names(name: str, payload: bytes) -> tuple[str, ...]:
    """Return the names that a sheet lists, in order, each once; none for a file that is no sheet by its name."""
    kind = ending(name)
    text = _decoded(payload) if kind in SHEETS else ""
    if kind in {"cue", "gdi"}:
        pattern = _CUE if kind == "cue" else _GDI
        names = [match[1] or match[2] for match in pattern.finditer(text)]
    else:
        lines = (line.strip() for line in text.splitlines())
        names = [line for line in lines if line and not line.startswith("#")]
    return tuple(dict.fromkeys(as_text(each) for each in names))


def _decoded(payload: bytes) -> str:
    if payload.startswith((b"\xff\xfe", b"\xfe\xff")):
        return payload.decode("utf-16", "replace")
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return payload.decode(encoding)
        except UnicodeDecodeError:
            continue
    return payload.decode("latin-1")
