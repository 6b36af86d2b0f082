"""The demo's player: a library that is imported while campaigns come and go, and what is told because of it."""

from datetime import datetime, timedelta
from pathlib import Path

import msgspec
from sqlalchemy import Connection, select

from models import Delivery, Event, Target
from models.people import OWNER_ID
from pipeline.demo.igdb.catalogue import steam_id
from pipeline.demo.rules import COLLECTOR, why_untold
from pipeline.demo.world import GAMES
from pipeline.fetch.http import Client
from pipeline.library.formats import recognise
from pipeline.library.importing.asking import Asking
from pipeline.library.importing.files import Imported, digest_of, import_reading
from pipeline.library.records import ReadOptions
from pipeline.programs.sources import register
from pipeline.runtime.runtime import Runtime, utc_now

# Before this hour: the games of the first hours are known by their categories then.
STEP = 2
FINISHED = GAMES["saltglass"]


def export(now: datetime) -> bytes:
    """Return the player's library as Playnite exports it: four shops, a typo, something finished."""
    lately = f"{now - timedelta(days=30):%Y-%m-%dT%H:%M:%S}.0000000+00:00"
    games = [
        _game("nine-lanterns", "Steam", GameId=steam_id("nine-lanterns"), Playtime=41 * 3600, LastActivity=lately),
        _game("cinderhold", "PlayStation", Name=f"{GAMES['cinderhold'].name}: Remastered", Platforms=["PlayStation 5"]),
        _game("saltglass", "Epic", Playtime=63 * 3600, CompletionStatus="Completed"),
        _game("tramline", "GOG", Playtime=0, CompletionStatus="Not Played"),
        _game("frostbarrow", "Steam", GameId=steam_id("frostbarrow"), Playtime=2 * 3600),
        _game("hexagon-harvest", "itch.io", Name="Hexagon Havest"),
    ]
    return msgspec.json.encode({"Games": games})


def bring(runtime: Runtime, folder: Path, now: datetime) -> Imported:
    """Import the library, as `lootwire library import` does."""
    path = folder / "playnite.json"
    path.write_bytes(export(now))
    data, options = path.read_bytes(), ReadOptions()
    with Client() as client:
        asking = Asking(
            open_igdb=lambda: runtime.igdb(client),
            register=lambda connection: register(connection, runtime, utc_now()),
            clock=utc_now,
        )
        reading = recognise(data, path.name, options)
        return import_reading(
            runtime.engine, reading, digest_of(data, options), path.name, asking, person_id=OWNER_ID, now=now
        )


def why_the_collector_was_not_told(connection: Connection, now: datetime) -> tuple[str, str] | None:
    """Return an event about a finished game that the collector was not told of, and why."""
    theirs = select(Delivery.event_id).join(Target).where(Target.name == COLLECTOR)
    event_id = connection.scalar(
        select(Event.id)
        .where(Event.title.contains(FINISHED.name), Event.silent.is_(False), Event.id.not_in(theirs))
        .order_by(Event.id.desc())
        .limit(1)
    )
    return None if event_id is None else why_untold(connection, COLLECTOR, event_id, now)


def _game(key: str, shop: str, **more: object) -> dict[str, object]:
    return {"Name": GAMES[key].name, "Source": shop, "Platforms": ["PC (Windows)"], **more}
