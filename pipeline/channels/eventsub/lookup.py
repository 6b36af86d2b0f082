"""Ask Helix for the title and category of a stream that went live: EventSub's own message has neither."""

import logging
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotInTime
from datetime import timedelta

from pipeline.channels.eventsub.notifications import Info
from pipeline.errors import SourceError
from pipeline.fetch.http import Client
from pipeline.services.twitch.helix import Helix

logger = logging.getLogger(__name__)
# A late title is better than a late message: the next poll brings what is missing.
PATIENCE = timedelta(seconds=3)

LookUp = Callable[[Collection[str]], Mapping[str, Info]]


def look_up(helix: Helix, channel_ids: Collection[str]) -> dict[str, Info]:
    """Return Helix' records of these channels, by id: of their streams, or of the channel where no stream is listed.

    Where Helix does not answer, the records so far: the error is logged.
    """
    infos: dict[str, Info] = {}
    try:
        infos.update({stream.channel.external_id: stream for stream in helix.streams(user_ids=channel_ids)})
        if missing := [channel_id for channel_id in channel_ids if channel_id not in infos]:
            infos.update({channel.channel.external_id: channel for channel in helix.channels(missing)})
    except SourceError as error:
        logger.warning("titles of streams are not known yet: %s", error)
    return infos


class ImpatientLookUp:
    """Looks up within three seconds; while one look takes longer, the next messages go without."""

    def __init__(
        self, client: Client, open_helix: Callable[[Client], Helix], *, patience: timedelta = PATIENCE
    ) -> None:
        self._client = client
        self._open_helix = open_helix
        self._patience = patience
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="lookup")
        self._under_way: Future[dict[str, Info]] | None = None

    def __call__(self, channel_ids: Collection[str]) -> Mapping[str, Info]:
        """Return the records by channel, none where they did not come in time."""
        if not channel_ids or (self._under_way is not None and not self._under_way.done()):
            return {}
        self._under_way = self._thread.submit(self._look_up, tuple(channel_ids))
        try:
            return self._under_way.result(self._patience.total_seconds())
        except NotInTime:
            logger.warning("titles of streams are not known in time")
            return {}

    def close(self) -> None:
        """End without waiting for a request that is still under way."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _look_up(self, channel_ids: Collection[str]) -> dict[str, Info]:
        return look_up(self._open_helix(self._client), channel_ids)
