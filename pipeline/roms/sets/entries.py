"""Files as sets are made of them: their paths taken apart, and what is no ROM left out. Pure."""

import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import lru_cache, partial
from typing import NamedTuple

import msgspec

from models.platforms import PLATFORMS, platform_called
from pipeline.roms.records import FoundFile

# Endings of what lies beside ROMs. A sheet may list such a file all the same (music tracks, say), and then it is one.
_BESIDE = {
    "saves and states of emulators": "sav srm sra eep fla mpk mcr mcd vmu rtc state auto oops ldci nvmem "
    "st0 st1 st2 st3 st4 st5 st6 st7 st8 st9 ss0 ss1 ss2 ss3 ss4 ss5 ss6 ss7 ss8 ss9",
    "pictures, films and music": "png jpg jpeg gif bmp webp svg ico mp4 mkv avi webm mp3 ogg flac wav m4a",
    "texts and manuals": "txt nfo diz md 1st pdf htm html doc docx rtf log url lnk webloc torrent",
    "lists of front ends and settings": "xml json csv tsv db lpl cfg opt ini yml yaml toml pegasus",
    "checksums, patches and cheats": "sfv md5 sha1 sha256 ips bps ups ppf xdelta cht",
    "downloads that are not done, and what is about to go": "tmp temp part crdownload bak old swp",
}
IGNORED = frozenset(ending for endings in _BESIDE.values() for ending in endings.split())
# Programs beside a DOS game's own, which name no game.
_HELPERS = re.compile(
    r"(?:dos4gw\w*|dos32a|pmode\w*|cwsdpmi|cwsdpr0|rtm|dpmi\w*|go32|emu387|setup\w*|install\w*|uninst\w*|unins\d*|config\w*"
    r"|setsound|sound\w*|sndsetup|univbe|uvconfig|vesa\w*|readme|order|help|helpme|catalog|register|exception|dosbox\w*"
    r"|pkunzip|unzip|lha|arj|mouse|mscdex|loadpats|ultramid|deice|make|patch|update)"
)
# Texts whatever their ending, also beside the Mega Drive's `.md`.
_TEXTS = re.compile(r"readme.*|changelog|licen[cs]e|contributing|credits|notes|index", re.IGNORECASE)
_PROGRAMS = frozenset({"exe", "com", "bat"})
_ENDING = re.compile(r"\.([A-Za-z0-9_+!-]{1,8})$")
_NUMBER = re.compile(r"(\d+)")


class Entry(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A file with its path taken apart: `folders` from the outermost on, `stem` and `ending` (in lower case) of `name`.

    `is_ignored` says that it is none of a game's files: a save, a picture, a text, what hides, all of a BIOS folder.
    """

    file: FoundFile
    folders: tuple[str, ...]
    name: str
    stem: str
    ending: str
    is_ignored: bool

    @property
    def key(self) -> str:
        """The whole path as sheets are compared with it, whatever the case and the spelling of its accents."""
        return key_of("/".join((*self.folders, self.name)))

    @property
    def is_program(self) -> bool:
        """Whether DOS starts it."""
        return self.ending in _PROGRAMS

    @property
    def is_helper(self) -> bool:
        """Whether it is a program that names no game: DOS4GW, SETUP, INSTALL."""
        return self.is_program and _HELPERS.fullmatch(self.stem.lower()) is not None


def entries_of(files: Iterable[FoundFile], platform: str | None, otherwise: str | None) -> list[Entry]:
    """Return the files by path, so that nothing hangs on the order in which they came.

    `platform` is the slug of all of them; without one it is that of the folders that they lie in, or `otherwise`.
    """
    # Most files share their folders with others.
    folders_of = lru_cache(maxsize=1_024)(partial(_folders, platform, otherwise))
    return [_entry(file, folders_of) for file in sorted(files, key=lambda file: (file.path, file.id))]


def key_of(path: str) -> str:
    """Return a path as it is compared with others, whatever its case and the spelling of its accents."""
    return path.lower() if path.isascii() else unicodedata.normalize("NFC", path).casefold()


def natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """Return a key by which `part 2` comes before `part 10`."""
    return tuple((0, int(part[:18]), "") if part.isdecimal() else (1, 0, part) for part in _NUMBER.split(text) if part)


def stem_of(name: str) -> tuple[str, str]:
    """Return a name without its ending, and the ending in lower case; figures alone are none (`Game v1.2`)."""
    match = _ENDING.search(name)
    if match is None or not match.start() or match[1].isdecimal():
        return name, ""
    return name[: match.start()], match[1].lower()


class _Folders(NamedTuple):
    folders: tuple[str, ...]
    is_ignored: bool
    # Endings that are ignored elsewhere, and here are those of the platform's own files.
    own: frozenset[str]


def _folders(platform: str | None, otherwise: str | None, path: str) -> _Folders:
    """Return the folders of a path that is empty or ends with a slash."""
    folders = tuple(path.split("/")[:-1])
    is_hidden = any(folder.startswith(".") for folder in folders)
    is_ignored = is_hidden or any(folder.lower() == "bios" for folder in folders)
    named = next(filter(None, map(platform_called, folders)), None)
    known = PLATFORMS.get(platform or "") or named or PLATFORMS.get(otherwise or "")
    extensions = known.extensions if known is not None else ()
    return _Folders(folders, is_ignored, IGNORED.intersection(each[1:] for each in extensions))


def _entry(file: FoundFile, folders_of: Callable[[str], _Folders]) -> Entry:
    try:
        path = file.path.decode()
    except UnicodeDecodeError:
        # Names of old systems; a cue sheet is read by the same code page.
        path = file.path.decode("cp1252", "backslashreplace")
    at = path.rfind("/") + 1
    folders, is_ignored, own = folders_of(path[:at])
    name = path[at:]
    stem, ending = stem_of(name)
    return Entry(
        file=file,
        folders=folders,
        name=name,
        stem=stem,
        ending=ending,
        is_ignored=is_ignored
        or name[:1] == "."
        or (ending in IGNORED and (ending not in own or _TEXTS.fullmatch(stem) is not None)),
    )
