"""Import readings as files are, and say how a library is then, whatever numbers its rows have."""

from typing import Any

import msgspec
from sqlalchemy import Engine, text

from models.errors import LootwireError
from models.people import OWNER_ID
from pipeline.library.importing.asking import Asking
from pipeline.library.importing.files import Imported, digest_of, import_reading
from pipeline.library.records import Reading, ReadOptions
from pipeline.services.igdb.client import Igdb
from tests.pipeline.library.shelves import NOON

# Everything that imports write, without row numbers, moments, and which file was the first to say it.
_STATE = {
    "entries": """
        SELECT store, external_id, platform, igdb_id, title, ownership, acquired_on, playtime_seconds, last_played_at,
            hidden_at IS NOT NULL, removed_at IS NOT NULL, games.public_id
        FROM library_entries JOIN games ON games.id = game_id""",
    "states": """
        SELECT works.name, status, rating, rating_scale, is_favourite, tags, notes, game_states.series, set_by
        FROM game_states JOIN works ON works.id = work_id""",
    "playthroughs": """
        SELECT import_key, games.public_id, igdb_id, platform, status, completion, started, finished, seconds, rating,
            rating_scale, notes, is_replay
        FROM playthroughs JOIN games ON games.id = game_id""",
    "standings": """
        SELECT works.name, words, status, seconds, last_played_at, changes_at
        FROM person_works JOIN works ON works.id = work_id""",
    "lists": """
        SELECT game_lists.name, ranked, wants, written, works.name
        FROM game_lists JOIN game_list_entries ON list_id = game_lists.id LEFT JOIN works ON works.id = work_id""",
    "wanted": "SELECT igdb_id, reasons FROM wanted_games",
    "imports": "SELECT format, encode(digest, 'hex') FROM imports",
    "waiting": """
        SELECT substr(digest, 1, 24), line, written, verdict
        FROM import_lines JOIN imports ON imports.id = import_id""",
    "finishes": "SELECT event_key, silent FROM events WHERE kind = 'play.finished'",
}


def no_igdb() -> Igdb:
    raise LootwireError("IGDB needs an application at Twitch: set TWITCH_CLIENT_ID")


ASKING = Asking(open_igdb=no_igdb, register=lambda _: None, clock=lambda: NOON)


def bring(engine: Engine, read: Reading, name: str = "games.csv", *, rehearse: bool = False) -> Imported:
    """Import what a file of this name says, or rehearse that."""
    digest = digest_of(msgspec.json.encode(read), ReadOptions())
    return import_reading(engine, read, digest, name, ASKING, person_id=OWNER_ID, now=NOON, rehearse=rehearse)


def state(engine: Engine) -> dict[str, Any]:
    """Return all that imports have written."""
    with engine.connect() as connection:
        return {name: sorted(map(str, connection.execute(text(query)))) for name, query in _STATE.items()}
