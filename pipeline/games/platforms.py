"""Call platforms by one name each, however files and people write them. Pure.

The names are IGDB's without what it puts into parentheses, and "PC" for Windows: as events name them.
"""

from collections.abc import Iterable, Mapping
from functools import cache

from models.names import name_key

# Other ways to write a platform, as exports of shops and trackers have them.
_ALSO: Mapping[str, tuple[str, ...]] = {
    "PC": ("PC (Microsoft Windows)", "PC (Windows)", "Windows", "Microsoft Windows", "PC Windows", "Win", "Windows PC"),
    "Mac": ("macOS", "Mac OS", "OS X", "Macintosh", "Apple Macintosh"),
    "Linux": ("PC (Linux)", "SteamOS"),
    "DOS": ("MS-DOS", "PC (DOS)", "PC DOS"),
    "PlayStation": ("PS", "PS1", "PSX", "PSone", "Sony PlayStation", "PlayStation 1"),
    "PlayStation 2": ("PS2", "Sony PlayStation 2"),
    "PlayStation 3": ("PS3", "Sony PlayStation 3", "PlayStation Network (PS3)"),
    "PlayStation 4": ("PS4", "Sony PlayStation 4"),
    "PlayStation 5": ("PS5", "Sony PlayStation 5"),
    "PlayStation Portable": ("PSP", "Sony PSP"),
    "PlayStation Vita": ("PS Vita", "PSVita", "Vita", "Sony PlayStation Vita", "PlayStation Network (Vita)"),
    "Xbox": ("Microsoft Xbox", "Original Xbox"),
    "Xbox 360": ("X360", "Microsoft Xbox 360", "Xbox 360 Games Store"),
    "Xbox One": ("XONE", "XB1", "XBO", "Microsoft Xbox One"),
    "Xbox Series X|S": ("Xbox Series", "Xbox Series X", "Xbox Series S", "XSX", "Series X|S", "Microsoft Xbox Series"),
    "Nintendo Entertainment System": ("NES", "Nintendo Entertainment System (NES)", "NES/Famicom", "Nintendo NES"),
    "Family Computer": ("Famicom", "FC"),
    "Super Nintendo Entertainment System": (
        *("SNES", "Super Nintendo", "Super NES", "Super Nintendo Entertainment System (SNES)", "SNES/Super Famicom"),
        "Nintendo SNES",
    ),
    "Super Famicom": ("SFC",),
    "Nintendo 64": ("N64",),
    "Nintendo GameCube": ("GameCube", "GC", "NGC", "GCN"),
    "Wii": ("Nintendo Wii", "WiiWare", "Wii Shop"),
    "Wii U": ("WiiU", "Nintendo Wii U"),
    "Nintendo Switch": ("Switch", "NSW"),
    "Nintendo Switch 2": ("Switch 2",),
    "Game Boy": ("GB", "Nintendo Game Boy"),
    "Game Boy Color": ("GBC", "Nintendo Game Boy Color"),
    "Game Boy Advance": ("GBA", "Nintendo Game Boy Advance"),
    "Nintendo DS": ("NDS", "DS"),
    "Nintendo 3DS": ("3DS", "N3DS", "Nintendo 3DS eShop"),
    "Sega Mega Drive/Genesis": ("Mega Drive", "Genesis", "Sega Genesis", "Sega Mega Drive", "Genesis/Mega Drive"),
    "Sega Master System/Mark III": ("Master System", "Sega Master System", "SMS"),
    "Sega Game Gear": ("Game Gear",),
    "Sega Saturn": ("Saturn",),
    "Sega CD": ("Mega CD", "Mega-CD"),
    "Dreamcast": ("Sega Dreamcast", "DC"),
    "TurboGrafx-16/PC Engine": ("TurboGrafx-16", "PC Engine", "TG16", "PC Engine/TurboGrafx-16"),
    "Arcade": ("Arcade Game",),
    "Android": ("Google Android",),
    "iOS": ("iPhone", "iPad", "iPhone/iPad", "Apple iOS"),
    "Web browser": ("Browser", "Web"),
    "Google Stadia": ("Stadia",),
}
# A shop's game for any of them is a game for a computer.
COMPUTERS = frozenset({"", "PC", "Mac", "Linux"})


def called(written: str) -> str:
    """Return what a platform is called here: "PS2" is PlayStation 2; one that is not known keeps its text."""
    return _names().get(name_key(written), " ".join(written.split()))


def called_all(written: Iterable[str]) -> tuple[str, ...]:
    """Return what platforms are called, each once and in their order, without empty ones."""
    return tuple(dict.fromkeys(name for each in written if (name := called(each))))


@cache
def _names() -> dict[str, str]:
    return {name_key(written): name for name, others in _ALSO.items() for written in (name, *others)}
