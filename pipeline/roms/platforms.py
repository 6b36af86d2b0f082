"""Platforms by one slug each, however folders, DATs, front ends and people call them. Pure.

The table is `platforms.toml` beside this file; slugs are ES-DE's names of folders where it has one.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from importlib.resources import files
from types import MappingProxyType

import msgspec

from models.names import name_key

_VENDORS = tuple(
    map(
        name_key,
        (
            *(
                "Nintendo",
                "Sega",
                "Sony",
                "NEC",
                "Microsoft",
                "Atari",
                "Commodore",
                "SNK",
                "Bandai",
                "Sharp",
                "Fujitsu",
            ),
            *("Mattel Electronics", "Mattel", "Coleco", "Philips", "Magnavox", "Apple", "Amstrad", "Sinclair", "Acorn"),
            *("Acorn Computers", "Panasonic", "Casio", "GCE", "Epoch", "VTech", "Tandy Radio Shack", "Tandy", "Watara"),
            *("Tiger Electronics", "Tiger", "Hartung", "Emerson", "Fairchild", "Bally", "Entex", "Funtech", "Google"),
            *("Bit Corporation", "Creatronic", "Welback", "Nokia", "Infocom", "Thomson", "MGT", "Sammy", "Capcom"),
            *("Sammy Corporation", "Namco", "Taito", "Konami", "Dragon Data", "Tangerine Computer Systems", "RCA"),
            *("Tangerine", "Texas Instruments", "Interton", "Valve", "Adobe", "Nichibutsu", "Memotech", "IBM"),
        ),
    )
)
# What stands behind a DAT's name: brackets, and a date with or without a time.
_BEHIND = re.compile(r"\s*(?:\([^()]*\)|\[[^\[\]]*\]|\b(?:19|20)\d\d-?\d\d-?\d\d(?:[-_ ]?\d{4,6})?)\s*$")
_BEFORE = re.compile(
    r"^(?:non-redump|unofficial|source code|redump|no-intro|tosec(?:-iso|-pix)?)\s*[-:]\s*", re.IGNORECASE
)
_LONGEST = 300


class Platform(msgspec.Struct, frozen=True, kw_only=True):
    """A platform: `name` is IGDB's as events and the library have it, which several of arcades' share.

    `dats` are its names at No-Intro, Redump, TOSEC and libretro without what stands behind them, `folders` short names
    of front ends beside the slug, `also` what else it is called. `extensions` are endings in lower case (`.sfc`) that
    no other platform's files have.
    """

    slug: str
    name: str
    launchbox: str
    folders: tuple[str, ...] = ()
    dats: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    extensions: tuple[str, ...] = ()

    @property
    def playlist(self) -> str:
        """The name of RetroArch's playlist, without `.lpl`."""
        return self.dats[0] if self.dats else self.name.replace("/", "-")

    @property
    def esde(self) -> str:
        """The name of ES-DE's folder, which EmulationStation and Batocera share for most platforms."""
        return self.slug


def _load() -> Mapping[str, Platform]:
    rows = tomllib.loads(files(__package__).joinpath("platforms.toml").read_text(encoding="utf-8"))
    platforms = {
        slug: msgspec.convert({"slug": slug, "launchbox": row["name"], **row}, Platform) for slug, row in rows.items()
    }
    return MappingProxyType(platforms)


# By slug.
PLATFORMS: Mapping[str, Platform] = _load()


@lru_cache(maxsize=4096)
def platform_called(text: str) -> Platform | None:
    """Return the platform that a folder, a DAT or a person calls so, or None.

    Case, signs and the maker's name in front do not count, nor what stands behind a DAT's name: brackets, its date,
    " - Games". `pc` is DOS, as front ends have it; Windows is `windows`.
    """
    plain = _BEFORE.sub("", " ".join(text[:_LONGEST].split()))
    return next((platform for spelled in _spellings(plain) if (platform := _by_key(spelled)) is not None), None)


def platform_of_extension(extension: str) -> Platform | None:
    """Return the platform whose files alone have such an ending (`.sfc`), or None where several or none have it."""
    return _extensions().get(extension.lower())


def _spellings(text: str) -> Iterator[str]:
    """Yield a name, then shorter ones: without brackets and dates, then without its last parts."""
    yield text
    while (shorter := _BEHIND.sub("", text)) != text:
        text = shorter
        yield text
    parts = text.split(" - ")
    for count in range(len(parts) - 1, 0, -1):
        yield " - ".join(parts[:count])


def _by_key(text: str) -> Platform | None:
    key, keys = name_key(text), _keys()
    if (platform := keys.get(key)) is not None:
        return platform
    rests = (key.removeprefix(vendor) for vendor in _VENDORS if key.startswith(vendor))
    return next((keys[rest] for rest in rests if rest in keys), None)


@cache
def _keys() -> dict[str, Platform]:
    """Return platforms by all their names: slugs come first, then folders, then what else they are called."""
    platforms = PLATFORMS.values()
    keys = {name_key(platform.slug): platform for platform in platforms}
    short = ((name, platform) for platform in platforms for name in platform.folders)
    long = ((name, each) for each in platforms for name in (*each.dats, each.name, each.launchbox, *each.also))
    for written, platform in (*short, *long):
        keys.setdefault(name_key(written), platform)
    return keys


@cache
def _extensions() -> dict[str, Platform]:
    return {extension: platform for platform in PLATFORMS.values() for extension in platform.extensions}
