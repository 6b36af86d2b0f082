"""The demo's collector of ROMs: a folder with a DAT, scanned while campaigns come and go. All of it is invented."""

import zipfile
from datetime import datetime
from pathlib import Path
from zlib import crc32

import msgspec
from sqlalchemy import func, select

from models import Event, Rom
from models.events import EventKind
from pipeline.demo.world import GAMES
from pipeline.roms.importing import import_dats
from pipeline.roms.listing.missing import list_lacking
from pipeline.roms.scanning.scan import scan_folder
from pipeline.roms.store.folders import add_folder
from pipeline.runtime.runtime import Runtime

# What the DAT lists, and whether the folder has it.
_LISTED = (("orbit-plumbers", True), ("rook-rapier", True), ("pocket-colossus", False))
_DAT = "Invented - Windows"


class Collected(msgspec.Struct, frozen=True, kw_only=True):
    """What came of the folder: files read, ROMs by what the DAT says of them, what is missing, and what is a game."""

    files: int
    roms: int
    verified: int
    matched: int
    lacking: tuple[str, ...]
    events: int


def collect(runtime: Runtime, folder: Path, now: datetime) -> Collected:
    """Add a folder, import a DAT, scan it, find one ROM more and scan again, as `lootwire roms` does."""
    place = folder / "roms" / "windows"
    place.mkdir(parents=True)
    for key, is_there in _LISTED:
        if is_there:
            _zip(place, key)
    (place / "readme.txt").write_text("no ROM")
    dat = folder / "invented.dat"
    dat.write_text(_dat(), encoding="utf-8")
    import_dats(runtime.engine, [dat], platform="windows", now=now)
    with runtime.engine.begin() as connection:
        added = add_folder(connection, place.parent, now=now)
    first = scan_folder(runtime.engine, added.id, now=now)
    # The first look is silent; this one is news.
    (place / f"{GAMES['tramline'].name} (1998).exe").write_bytes(b"another game")
    second = scan_folder(runtime.engine, added.id, now=now)
    with runtime.engine.connect() as connection:
        verdicts = dict(connection.execute(select(Rom.verdict, func.count()).group_by(Rom.verdict)).all())
        return Collected(
            files=first.read + second.read,
            roms=sum(verdicts.values()),
            verified=verdicts.get("verified", 0),
            matched=connection.scalar(select(func.count()).where(Rom.game_id.is_not(None))) or 0,
            lacking=tuple(game.game for game in list_lacking(connection)),
            events=connection.scalar(select(func.count()).where(Event.kind == EventKind.ROM_ADDED)) or 0,
        )


def _written(key: str) -> str:
    return f"{GAMES[key].name} (World)"


def _bytes(key: str) -> bytes:
    return f"the bytes of {GAMES[key].name}".encode() * 500


def _zip(folder: Path, key: str) -> None:
    with zipfile.ZipFile(folder / f"{_written(key)}.zip", "w") as archive:
        archive.writestr(f"{_written(key)}.iso", _bytes(key))


def _dat() -> str:
    games = "\n".join(
        f'game ( name "{_written(key)}" rom ( name "{_written(key)}.iso" size {len(_bytes(key))} '
        f"crc {crc32(_bytes(key)):08X} ) )"
        for key, _ in _LISTED
    )
    return f'clrmamepro (\n name "{_DAT}"\n version 1\n)\n{games}\n'
