"""The subjects and their sources; a new subject adds a line to each function that it has a part in."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from sqlalchemy import Connection

from models.errors import UsageError
from models.people import OWNER_ID
from pipeline.channels import sources as channels
from pipeline.channels.eventsub.secret import load_secret
from pipeline.drops import sources as drops
from pipeline.fetch.http import Client
from pipeline.games import sources as games
from pipeline.ingest import fetching
from pipeline.ingest.source import Fetchable, ListSource, RoundSource
from pipeline.library import sources as library
from pipeline.library.importing.asking import Asking
from pipeline.library.records import Record
from pipeline.library.sources.rounds import LookedUp
from pipeline.runtime.runtime import Runtime, utc_now

ON_DEMAND = (*drops.ON_DEMAND, *channels.ON_DEMAND, *games.ON_DEMAND, *library.ON_DEMAND)


def sources(runtime: Runtime) -> Sequence[Fetchable]:
    """Return every source that exists now, in the order in which they are given their rows."""
    account = runtime.account
    return (
        *drops.sources(runtime.settings, account, runtime.open_helix),
        *drops.rounds(runtime.settings, account),
        *channel_sources(runtime),
        *game_sources(runtime),
        *library_sources(runtime),
    )


def drop_sources(runtime: Runtime) -> Sequence[ListSource]:
    """Return the sources that list campaigns and badges; imported files hold the same lists."""
    return drops.sources(runtime.settings, runtime.account, runtime.open_helix)


def channel_sources(runtime: Runtime) -> Sequence[RoundSource]:
    """Return the sources of live streams and videos."""
    return channels.sources(runtime.settings, runtime.engine, runtime.open_helix, utc_now)


def game_sources(runtime: Runtime) -> Sequence[RoundSource]:
    """Return the sources that ask IGDB."""
    settings = runtime.settings
    return games.sources(
        settings, runtime.engine, runtime.open_helix, runtime.igdb, lambda: load_secret(settings.data_dir), utc_now
    )


def library_sources(runtime: Runtime) -> Sequence[RoundSource]:
    """Return the sources of the libraries of accounts that somebody signed in."""
    look_up = None if runtime.application is None else partial(_look_up, runtime)
    return library.sources(runtime.settings, runtime.engine, lambda: runtime.vault, utc_now, look_up)


def _look_up(runtime: Runtime, client: Client, records: Sequence[Record]) -> LookedUp:
    """Ask IGDB for games that the catalogue lacks; where it is away they wait, and are asked for again."""
    asking = Asking(
        open_igdb=lambda: runtime.igdb(client),
        register=lambda connection: register(connection, runtime, utc_now()),
        clock=utc_now,
    )
    answered = asking.ask(runtime.engine, records, OWNER_ID)
    return LookedUp(rows=answered.rows, asked_at=answered.asked_at, is_failed=answered.problem is not None)


def source(runtime: Runtime, name: str) -> Fetchable:
    """Return a source by name; raises `UsageError` listing those that exist."""
    listed = {candidate.name: candidate for candidate in sources(runtime)}
    if name not in listed:
        raise UsageError(f"there is no source `{name}`; there are: {', '.join(listed)}")
    return listed[name]


def register(connection: Connection, runtime: Runtime, now: datetime) -> None:
    """Make sure that every source has its row; those that exist on demand are on or off from now on."""
    fetching.register(connection, sources(runtime), now, on_demand=ON_DEMAND)
