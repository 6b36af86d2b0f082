"""The copy of IGDB's catalogue of games: how it stands."""

from datetime import datetime

import msgspec
from sqlalchemy import Connection

from pipeline.games.status import Status, load_status
from pipeline.runtime.runtime import Runtime
from pipeline.services.igdb.igdb_requests import PER, REQUESTS, Usage

A_HOUR = REQUESTS * 3600 // int(PER.total_seconds())


class IgdbAnswer(Status, frozen=True, kw_only=True):
    """How the catalogue stands, and how many requests of those that IGDB allows were made in the last hour."""

    asked_last_hour: int
    limit_per_hour: int


def show_status(runtime: Runtime, connection: Connection, now: datetime) -> IgdbAnswer:
    """Return how the catalogue stands as of now."""
    client_id = runtime.settings.twitch_client_id
    requests = Usage(runtime.redis, client_id).last_hour() if client_id is not None else 0
    standing = msgspec.structs.asdict(load_status(connection, now))
    return IgdbAnswer(**standing, asked_last_hour=requests, limit_per_hour=A_HOUR)
