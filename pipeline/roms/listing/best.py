"""Choose one release of each game: by region, language, revision and how sound it is. Pure."""

from collections.abc import Iterable, Sequence
from itertools import groupby

import msgspec

from models.names import name_key
from pipeline.roms.listing.collected import CollectedRom

REGIONS: tuple[str, ...] = ("World", "USA", "Europe", "Japan")
LANGUAGES: tuple[str, ...] = ("en",)
_SPEAKS = {
    "USA": "en",
    "World": "en",
    "Europe": "en",
    "UK": "en",
    "Australia": "en",
    "Canada": "en",
    "Japan": "ja",
    "Germany": "de",
    "France": "fr",
    "Spain": "es",
    "Italy": "it",
    "Brazil": "pt",
    "Korea": "ko",
    "China": "zh",
    "Taiwan": "zh",
    "Netherlands": "nl",
    "Sweden": "sv",
    "Russia": "ru",
}
# None of these is the game as it was sold; where nothing else is there, they are the best.
_LESSER = frozenset(
    {
        *("alpha", "beta", "proto", "demo", "sample", "kiosk", "promo", "debug", "program", "bios", "dlc", "update"),
        *("hack", "translation", "cracked", "trained", "fixed", "modified", "underdump", "overdump", "virus"),
        *("pirate", "aftermarket"),
    }
)


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What a person would rather have: regions and languages, the dearest first."""

    regions: Sequence[str] = REGIONS
    languages: Sequence[str] = LANGUAGES


def choose_best(roms: Iterable[CollectedRom], wish: Wish = Wish()) -> list[CollectedRom]:  # noqa: B008 - it is frozen
    """Return the best release of each game on each platform that is there, by title; all discs of it."""
    present = sorted((rom for rom in roms if rom.missing_since is None), key=_game)
    chosen: list[CollectedRom] = []
    for _, same in groupby(present, _game):
        ranked = sorted(same, key=lambda rom: _rank(rom, wish))
        chosen += [rom for rom in ranked if _release(rom) == _release(ranked[0])]
    return sorted(chosen, key=lambda rom: (rom.title.casefold(), rom.platform or "", rom.disc or 0, rom.id))


def _game(rom: CollectedRom) -> tuple[str, str]:
    # What is no known game is told apart by its title alone.
    return rom.platform or "", f"game {rom.game_id}" if rom.game_id is not None else f"title {name_key(rom.title)}"


def _release(rom: CollectedRom) -> tuple[object, ...]:
    """Return what all discs of a release share."""
    return rom.folder_id, rom.regions, rom.languages, rom.revision, rom.flags, rom.title, rom.disc is None and rom.id


def _rank(rom: CollectedRom, wish: Wish) -> tuple[object, ...]:
    """Return the place of a release, the smallest is the best; what decides comes first."""
    languages = set(rom.languages) or {_SPEAKS[region] for region in rom.regions if region in _SPEAKS}
    return (
        rom.verdict == "bad" or "bad" in rom.flags,
        len(_LESSER.intersection(rom.flags)),
        rom.verdict == "incomplete",
        _place(languages, wish.languages),
        _place(rom.regions, wish.regions),
        "alternate" in rom.flags,
        _older(rom.revision),
        rom.verdict != "verified",
        len(rom.tags),
        rom.disc or 0,
        rom.written,
        rom.id,
    )


def _place(values: Iterable[str], wished: Sequence[str]) -> int:
    folded = [word.casefold() for word in wished]
    return min((folded.index(value.casefold()) for value in values if value.casefold() in folded), default=len(folded))


def _older(revision: str | None) -> tuple[tuple[int, int, str], ...]:
    """Return what sorts the newest revision first: `1.10` before `1.9` before `B` before none."""
    if not revision:
        return ((1, 0, ""),)
    parts = revision.lower().removeprefix("v").split(".")
    return tuple((0, -int(part), "") if part.isdecimal() else (0, -_number(part), "") for part in parts)


def _number(text: str) -> int:
    return int.from_bytes(text.encode()[:6].ljust(6, b"\0"))
