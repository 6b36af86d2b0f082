"""`/videos`: what channels published."""

from datetime import datetime
from typing import Annotated

import msgspec

from models.statistics import EVER
from pipeline.channels.listing.videos import VideoType
from pipeline.operations import videos
from pipeline.operations.videos import VideoAnswer, key_of_video
from pipeline.web.api.calls import Reading
from pipeline.web.api.paging import Page, PageQuery, make_page, read_cursor
from pipeline.web.api.routes.periods import Until
from pipeline.web.api.routing import Routes

routes = Routes("videos")
Published = Annotated[datetime, msgspec.Meta(tz=True, description="Published from this time on.")]


class VideosQuery(PageQuery, frozen=True, kw_only=True):
    """A page of videos: of a channel, a kind, or a period."""

    channel: Annotated[str, msgspec.Meta(max_length=500, description="A login, a former one, or an id.")] | None = None
    kind: VideoType | None = None
    since: Published | None = None
    until: Until | None = None


@routes.add("GET", "/videos", scope="read")
def list_videos(call: Reading, query: VideosQuery) -> Page[VideoAnswer]:
    """List videos, the newest first, with their silenced parts and until when Twitch keeps them."""
    after = read_cursor(query, datetime, int)
    listed = videos.list_videos(
        call.connection,
        call.person_id,
        query.limit + 1,
        since=query.since or EVER,
        until=query.until,
        channel=query.channel,
        kind=query.kind,
        after=None if after is None else (after[0], after[1]),
    )
    return make_page(listed, query, key_of_video)
