"""The sources of IGDB: one module a source, and the list of them that the settings make."""

from collections.abc import Callable
from datetime import datetime

from pydantic import SecretStr
from sqlalchemy import Engine

from pipeline.fetch.http import Client
from pipeline.games.mirror.state import is_kept
from pipeline.games.releases.news import append_releases
from pipeline.games.sources.links import IgdbLinks
from pipeline.games.sources.mirror import IgdbMirror
from pipeline.games.sources.wanted import IgdbWanted
from pipeline.games.sources.webhooks import IgdbWebhooks, is_registered
from pipeline.ingest.source import RoundSource
from pipeline.runtime.settings import Settings
from pipeline.services.igdb.client import Igdb
from pipeline.services.twitch.helix import Helix

# They exist only while our application at Twitch is set, the mirror once it is complete, and the webhooks where IGDB
# can call us, or still calls an address that is no longer ours; without, their rows are off.
ON_DEMAND = (IgdbLinks.name, IgdbWanted.name, IgdbMirror.name, IgdbWebhooks.name)


def sources(
    settings: Settings,
    engine: Engine,
    open_helix: Callable[[Client], Helix] | None,
    open_igdb: Callable[[Client], Igdb],
    load_secret: Callable[[], SecretStr],
    clock: Callable[[], datetime],
) -> list[RoundSource]:
    """Return the sources; none without Helix, whose application IGDB knows too.

    `load_secret` returns the secret that Twitch signs webhooks with, of which IGDB's is made.
    """
    if open_helix is None:
        return []
    with engine.connect() as connection:
        mirrored, registered = is_kept(connection), is_registered(connection)
    listed: list[RoundSource] = [
        # The next source asks for the entries that this one links.
        IgdbLinks(engine, open_helix, open_igdb, clock, append_releases),
        IgdbWanted(engine, open_igdb, clock, append_releases),
    ]
    if mirrored:
        listed.append(IgdbMirror(open_igdb, clock, append_releases))
    if settings.eventsub_callback_url is not None:
        listed.append(IgdbWebhooks(open_igdb, settings.eventsub_callback_url, load_secret()))
    elif registered:
        listed.append(IgdbWebhooks(open_igdb, None, None))
    return listed
