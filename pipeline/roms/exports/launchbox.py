"""LaunchBox's file of a platform (Data/Platforms/*.xml), from LaunchBox's own files. Pure.

It says of every game whether it is a favourite and how many stars it has; `false` and `0` are taken for nobody's word.
Stars go from 0 to 5. Paths are those of the machine that LaunchBox runs on: an entry is found by its file's name too.
"""

import uuid
from collections.abc import Mapping

from pipeline.roms.exports.merging import Listed
from pipeline.roms.exports.records import GameToExport
from pipeline.roms.exports.xml_entries import Shape, XmlEntries

LAUNCHBOX = Shape(
    called="platform file of LaunchBox",
    list="LaunchBox",
    game="Game",
    path="ApplicationPath",
    new=b'<?xml version="1.0" standalone="yes"?>\n<LaunchBox>\n</LaunchBox>\n',
    unit="  ",
)
UNSET: Mapping[str, frozenset[str]] = {
    "Favorite": frozenset({"false"}),
    "StarRatingFloat": frozenset({"0"}),
    "StarRating": frozenset({"0"}),
    "MaxPlayers": frozenset({"0"}),
}
# Names and controllers refer to it.
ONCE = frozenset({"ID"})
_IDS = uuid.UUID("b1f3d3f0-6f0a-5d0c-9f52-2a1c3f6c7e11")


def open_launchbox(existing: bytes | None) -> XmlEntries:
    """Return a platform file to merge into; raises `Unreadable`."""
    return XmlEntries(existing, LAUNCHBOX)


def listed(game: GameToExport, key: str, tail: str, platform: str) -> Listed:
    """Return a ROM as an entry has it; its id is the same each time."""
    stars = None if game.rating is None else round(game.rating / 20, 1)
    released = game.released_on.isoformat() if game.released_on is not None else game.year and f"{game.year:04}-01-01"
    values = {
        "Title": game.title,
        "Notes": game.description or "",
        "ReleaseDate": f"{released}T00:00:00" if released else "",
        "Developer": game.developer or "",
        "Publisher": game.publisher or "",
        "Genre": "; ".join(game.genres),
        "Region": ", ".join(game.regions),
        "MaxPlayers": (game.players or "").rpartition("-")[2],
        "StarRatingFloat": "" if stars is None else f"{stars:g}",
        "StarRating": "" if stars is None else f"{stars:.0f}",
        "Favorite": "true" if game.is_favourite else "",
        "Platform": platform,
        "ID": str(uuid.uuid5(_IDS, f"{game.folder!r}/{tail}")),
    }
    return Listed(game=game, key=key, tail=tail, values={name: text for name, text in values.items() if text})
