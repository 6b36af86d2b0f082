"""gamelist.xml, as EmulationStation, ES-DE and Batocera read and write it. Pure.

Fields as in the front ends' own MetaData.cpp: dates are `19950909T000000`, ratings 0 to 1. Batocera alone has places
for a region and languages. Play counts, play times and what else front ends count is theirs; of favourites only
`true` is written. ES-DE puts `<alternativeEmulator>` beside `<gameList>`, as a root of its own.
"""

from pipeline.roms.exports.merging import Listed
from pipeline.roms.exports.records import GameToExport
from pipeline.roms.exports.xml_entries import Shape, XmlEntries

GAMELIST = Shape(
    called="gamelist",
    list="gameList",
    game="game",
    path="path",
    new=b'<?xml version="1.0"?>\n<gameList>\n</gameList>\n',
    unit="\t",
    # Batocera calls a CRC32 by the first of them too.
    hashes=("hash", "crc32", "md5"),
    beside=("alternativeEmulator",),
)
_REGIONS = {"USA": "us", "Europe": "eu", "Japan": "jp", "World": "wr", "Korea": "kr", "Brazil": "br", "China": "cn"}


def open_gamelist(existing: bytes | None) -> XmlEntries:
    """Return a gamelist.xml to merge into; raises `Unreadable`."""
    return XmlEntries(existing, GAMELIST)


def listed(game: GameToExport, key: str, tail: str, *, batocera: bool = False) -> Listed:
    """Return a ROM as an entry has it, with the path that it is opened by."""
    values = {
        "name": game.title,
        "desc": game.description or "",
        "rating": "" if game.rating is None else f"{round(game.rating / 100, 2):g}",
        "releasedate": _released(game),
        "developer": game.developer or "",
        "publisher": game.publisher or "",
        "genre": ", ".join(game.genres),
        "players": game.players or "",
        "favorite": "true" if game.is_favourite else "",
    }
    if batocera:
        values["region"] = ",".join(_REGIONS.get(name, name.casefold()) for name in game.regions)
        values["lang"] = ",".join(game.languages)
    hashes = (
        *(() if game.crc32 is None else (f"{game.crc32:08x}",)),
        *(() if game.md5 is None else (game.md5.hex(),)),
    )
    said = {name: text for name, text in values.items() if text}
    return Listed(game=game, key=key, tail=tail, values=said, hashes=hashes)


def _released(game: GameToExport) -> str:
    """Return a day as front ends write it; of a year its first one."""
    if game.released_on is not None:
        return f"{game.released_on:%Y%m%d}T000000"
    return "" if game.year is None else f"{game.year:04}0101T000000"
