"""What an event of ROMs says."""

from datetime import UTC, datetime

from models.details import LibraryDetail
from models.events import EventKind
from pipeline.roms.details import RomLine, of_roms

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)


def detail(*roms: RomLine) -> LibraryDetail:
    [event] = of_roms(EventKind.ROM_ADDED, roms, person_id=1, folder_id=1, folder="/roms", now=NOON)
    assert isinstance(event.detail, LibraryDetail)
    return event.detail


def test_the_platform_is_called_as_people_call_it_where_all_roms_share_it() -> None:
    snes, dos = RomLine(1, "Cave", "snes"), RomLine(2, "Keep", "dos")

    assert (detail(snes).platform, detail(snes).game) == ("Super Nintendo Entertainment System", "Cave")
    assert (detail(snes, dos).platform, detail(snes, dos).total) == (None, 2)


def test_several_releases_of_one_title_are_one_line() -> None:
    assert [line.name for line in detail(RomLine(1, "Cave"), RomLine(2, "Cave")).games] == ["Cave"]
