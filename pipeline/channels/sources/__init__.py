"""Where streams and videos come from: one module a source, and the list of them that the settings make."""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import Engine

from pipeline.channels.following.watched import is_anything_followed
from pipeline.channels.sources.streams import TwitchStreams, TwitchStreamsInCampaigns
from pipeline.channels.sources.videos import TwitchVideos
from pipeline.fetch.http import Client
from pipeline.ingest.source import RoundSource
from pipeline.runtime.settings import Settings
from pipeline.services.twitch.helix import Helix

# They exist only while our application at Twitch is set and anything is followed; without, their rows are off.
ON_DEMAND = (TwitchStreams.name, TwitchStreamsInCampaigns.name, TwitchVideos.name)


def sources(
    settings: Settings, engine: Engine, open_helix: Callable[[Client], Helix] | None, clock: Callable[[], datetime]
) -> list[RoundSource]:
    """Return the sources, at the paces that the settings give; none without Helix, or where nothing is followed."""
    if open_helix is None:
        return []
    with engine.connect() as connection:
        if not is_anything_followed(connection):
            return []
    flap = timedelta(seconds=settings.stream_flap_seconds)
    all_every = timedelta(seconds=settings.streams_poll_seconds)
    named_every = timedelta(seconds=settings.streams_in_campaigns_poll_seconds)
    return [
        TwitchStreams(engine, open_helix, clock, poll_every=all_every, flap=flap),
        TwitchStreamsInCampaigns(engine, open_helix, clock, poll_every=named_every, flap=flap),
        TwitchVideos(engine, open_helix, clock),
    ]
