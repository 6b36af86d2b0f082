"""What is asked of IGDB: one module a source, and the list of them that the settings make."""

from collections.abc import Callable
from datetime import datetime

from pydantic import SecretStr
from sqlalchemy import Engine

from pipeline.http import Client
from pipeline.igdb.linking import IgdbLinks
from pipeline.igdb.state import is_kept
from pipeline.igdb.sweep import IgdbMirror
from pipeline.igdb.telling import tell_releases
from pipeline.igdb.wanted import IgdbWanted
from pipeline.igdb.webhooks import IgdbWebhooks, is_registered
from pipeline.settings import Settings
from pipeline.sources.base import RoundSource
from pipeline.sources.helix import Helix
from pipeline.sources.igdb import Igdb

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
        # What it links the next one asks for.
        IgdbLinks(engine, open_helix, open_igdb, clock, tell_releases),
        IgdbWanted(engine, open_igdb, clock, tell_releases),
    ]
    if mirrored:
        listed.append(IgdbMirror(open_igdb, clock, tell_releases))
    if settings.eventsub_callback_url is not None:
        listed.append(IgdbWebhooks(open_igdb, settings.eventsub_callback_url, load_secret()))
    elif registered:
        listed.append(IgdbWebhooks(open_igdb, None, None))
    return listed
