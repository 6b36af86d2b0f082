"""Where libraries are synced from: one module a service, and the list of sources that accounts make."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from sqlalchemy import Engine

from models.vault import Vault
from pipeline.ingest.source import RoundSource
from pipeline.library.sources.accounts import LibrarySource, LookUp
from pipeline.library.sources.retroachievements import RetroAchievementsLibrary
from pipeline.library.sources.shop import Shop
from pipeline.library.sources.steam import SteamLibrary
from pipeline.library.store.accounts import services_with_accounts
from pipeline.runtime.settings import Settings

# They exist only while somebody has an account there; without, their rows are off.
ON_DEMAND = (SteamLibrary.source, RetroAchievementsLibrary.source)


def shops(settings: Settings) -> Mapping[str, Shop]:
    """Return the services whose libraries can be synced, by their names in rows and on the command line."""
    known: tuple[Shop, ...] = (
        SteamLibrary(settings.steam_url),
        RetroAchievementsLibrary(settings.retroachievements_url),
    )
    return {shop.service: shop for shop in known}


def sources(
    settings: Settings,
    engine: Engine,
    open_vault: Callable[[], Vault],
    clock: Callable[[], datetime],
    look_up: LookUp | None,
) -> list[RoundSource]:
    """Return the sources of the services at which anybody has an account, at the paces that the settings give.

    `look_up` asks IGDB for games that the catalogue lacks.
    """
    with engine.connect() as connection:
        wanted = services_with_accounts(connection)
    every = timedelta(seconds=settings.library_poll_seconds)
    while_played = timedelta(seconds=settings.library_played_poll_seconds)
    return [
        LibrarySource(shop, engine, open_vault, clock, every=every, while_played=while_played, look_up=look_up)
        for service, shop in shops(settings).items()
        if service in wanted
    ]
