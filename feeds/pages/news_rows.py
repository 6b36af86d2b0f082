"""Load which pages events lead to, and the newest events of everything."""

from collections.abc import Iterable

from sqlalchemy import ARRAY, Connection, Text, any_, bindparam, case, func, select
from sqlalchemy.orm import aliased

from feeds.pages.card_rows import CHANNEL_FEED, GAME_FEED, OWN_FEED
from models import Event, Feed

_OF_RELEASES = Event.kind.like("release.%") | Event.kind.like("game.%")
_OF_STREAMS = Event.kind.like("stream.%") | Event.kind.like("video.%")
REWARD_FEED = aliased(Feed, name="rf")
_PATHS = (
    select(
        Event.event_key,
        case(
            (_OF_RELEASES, GAME_FEED.path),
            (_OF_STREAMS, CHANNEL_FEED.path),
            else_=func.coalesce(OWN_FEED.path, REWARD_FEED.path, GAME_FEED.path),
        ).label("path"),
    )
    .join(GAME_FEED, (GAME_FEED.scope == "game") & (GAME_FEED.game_id == Event.game_id), isouter=True)
    .join(CHANNEL_FEED, (CHANNEL_FEED.scope == "channel") & (CHANNEL_FEED.channel_id == Event.channel_id), isouter=True)
    .join(
        OWN_FEED,
        (OWN_FEED.scope == "campaign") & (OWN_FEED.campaign_id == Event.campaign_id),
        isouter=True,
    )
    .join(
        REWARD_FEED,
        (REWARD_FEED.scope == "reward_campaign") & (REWARD_FEED.reward_campaign_id == Event.reward_campaign_id),
        isouter=True,
    )
    .where(Event.event_key == any_(bindparam("keys", type_=ARRAY(Text))))
)


def load_paths(connection: Connection, event_keys: Iterable[str]) -> dict[str, str]:
    """Return the paths of the pages that events lead to, by their keys, for those that lead to one; takes one query."""
    keys = sorted(set(event_keys))
    if not keys:
        return {}
    return {row.event_key: row.path for row in connection.execute(_PATHS, {"keys": keys}) if row.path}
