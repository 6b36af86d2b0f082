"""What events of ROMs show. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from models.details import LibraryDetail, LibraryLine, SourceDetail
from models.events import EventKind
from models.platforms import PLATFORMS
from pipeline.events.event import NewEvent

# A feed's item lists them; a message names fewer.
NAMED_AT_MOST = 20


class RomLine(NamedTuple):
    """A ROM that an event is about, as it names it."""

    id: int
    title: str
    platform: str | None = None
    game_id: int | None = None


def of_roms(
    kind: EventKind, roms: Sequence[RomLine], *, person_id: int, folder_id: int, folder: str, now: datetime
) -> list[NewEvent]:
    """Return the one event of the ROMs that came, went, came back or were identified in a folder; none without any."""
    if not roms:
        return []
    titles = sorted({rom.title for rom in roms}, key=lambda title: (title.casefold(), title))
    platforms, games = {_called(rom.platform) for rom in roms}, {rom.game_id for rom in roms}
    detail = LibraryDetail(
        origin=folder,
        platform=platforms.pop() if len(platforms) == 1 else None,
        game=titles[0] if len(titles) == 1 else None,
        total=len(titles),
        games=tuple(LibraryLine(name=title) for title in titles[:NAMED_AT_MOST]),
    )
    return [
        NewEvent(
            kind=kind,
            subject=f"rom_folder/{folder_id}",
            # What happens to the same ROMs again, at another time, is another event.
            identity=[*sorted(rom.id for rom in roms), now.isoformat()],
            occurred_at=now,
            detail=detail,
            game_id=games.pop() if len(games) == 1 else None,
            person_id=person_id,
        )
    ]


def _called(platform: str | None) -> str | None:
    known = PLATFORMS.get(platform or "")
    return known.name if known is not None else platform


def of_problem(
    kind: EventKind, reason: str | None, since: datetime, *, person_id: int, folder_id: int, folder: str, now: datetime
) -> NewEvent:
    """Return the event of a folder that cannot be believed or looked at, or can be again."""
    return NewEvent(
        kind=kind,
        subject=f"rom_folder/{folder_id}",
        identity=now.isoformat(),
        occurred_at=now,
        detail=SourceDetail(name=folder, reason=reason, since=since),
        person_id=person_id,
    )
