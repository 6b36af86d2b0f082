"""Tell which file of a game's folder a front end opens, and which names the game. Pure."""

import re
from collections.abc import Iterable, Sequence

from pipeline.roms.sets.entries import Entry, key_of, natural

_ORDER = {"m3u": 0, "m3u8": 0, "cue": 1, "gdi": 1, "ccd": 1, "conf": 2, "exe": 3, "com": 3, "bat": 3}
_LETTERS = re.compile(r"[^0-9a-z]+")
_PLAIN_CONF = re.compile(r"dosbox.*|config|autoexec|default|options|mapper.*", re.IGNORECASE)


def opening_rank(entry: Entry, folder: tuple[str, ...]) -> tuple[object, ...]:
    """Return a key by which the files of a game's folder begin with that which is opened.

    Sheets come first, then a .conf with the game's name, programs that are no helpers, then whatever is named like the
    folder; what lies deeper comes later.
    """
    order = _ORDER.get(entry.ending, 4)
    if entry.is_helper or (entry.ending == "conf" and _PLAIN_CONF.fullmatch(entry.stem)):
        order = 5
    depth = len(entry.folders) - len(folder)
    return (order == 5, depth, order, not _is_named_like(entry, folder), natural(key_of(entry.name)), entry.file.path)


def title_of(joined: Sequence[Entry], folder: tuple[str, ...]) -> str | None:
    """Return the game's name where a .conf in its folder has it: `Duke Nukem 3D (1996).conf`."""
    confs = (entry for entry in joined if entry.ending == "conf" and entry.folders == folder)
    return next((entry.stem for entry in confs if not _PLAIN_CONF.fullmatch(entry.stem)), None)


def _is_named_like(entry: Entry, folder: tuple[str, ...]) -> bool:
    stem, name = (_LETTERS.sub("", key_of(text)) for text in (entry.stem, folder[-1]))
    return bool(stem) and (name.startswith(stem) or stem.startswith(name))


def confs(entries: Iterable[Entry]) -> dict[tuple[tuple[str, ...], str], Entry]:
    """Return the .conf files with a game's name, by their folder and name."""
    named = [entry for entry in entries if entry.ending == "conf" and not _PLAIN_CONF.fullmatch(entry.stem)]
    return {(entry.folders, key_of(entry.stem)): entry for entry in reversed(named)}
