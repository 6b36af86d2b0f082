"""What can be fetched: sources whose lists are judged and compared, and those that take in what they are told."""

from datetime import datetime
from typing import Protocol, runtime_checkable

from sqlalchemy import Connection, RowMapping

from pipeline.ingest import Ingested
from pipeline.sources.base import Answer, DropSource, PolledSource


@runtime_checkable
class StreamSource(PolledSource, Protocol):
    """A source whose answers are no lists of campaigns: what they mean it knows itself."""

    def take_in(self, connection: Connection, row: RowMapping, answer: Answer, now: datetime) -> Ingested:
        """Store what an answer told, inside the caller's transaction; `row` is the source's own."""


Fetchable = DropSource | StreamSource

# Sources that exist only while our application at Twitch is set, those of streams while somebody is followed, and a
# mirror of IGDB once it is complete, its webhooks until they are unregistered; without, their rows are off.
ON_DEMAND = (
    *("twitch.badges", "twitch.streams", "twitch.streams_in_campaigns", "twitch.videos"),
    *("igdb.wanted", "igdb.links", "igdb.mirror", "igdb.webhooks"),
)
