"""What is on at one channel now: as recorded where it is watched, as Twitch says where it is not."""

from collections.abc import Callable
from datetime import datetime
from typing import Literal

import msgspec
from sqlalchemy import Engine

from models.errors import UnknownThing
from models.people import OWNER_ID
from models.printable import NAME_LENGTH, on_a_line
from pipeline.catalogue.records import UserRecord
from pipeline.channels.following.adding import ask_users
from pipeline.channels.following.follows import Known, find_channel
from pipeline.channels.following.names import Name, parse_name
from pipeline.channels.listing.watching import Live, WatchedChannel, list_watched_among
from pipeline.fetch.http import Client
from pipeline.fetch.shapes import Time
from pipeline.services.twitch.helix import Helix


class ChannelStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What is on at a channel. `known_by` says how: `recording`, or Twitch itself, asked just now.

    `followed` is whether the person who asks follows it by name, `watched` whether its streams are recorded at all, and
    `covered` is then `real time` or `polling`. Title and category are the channel's own where it is not live.
    """

    login: str
    display_name: str | None
    external_id: str
    former_logins: tuple[str, ...]
    followed: bool
    watched: bool
    covered: str | None
    known_by: Literal["recording", "twitch"]
    at: Time
    live: Live | None
    rerun: str | None
    title: str | None
    category: str | None
    last_stream_at: Time | None


def look_at_channel(
    engine: Engine,
    open_helix: Callable[[Client], Helix],
    written: str,
    now: datetime,
    *,
    person_id: int = OWNER_ID,
) -> ChannelStatus:
    """Return what is on at a channel, by its login, one it had before, its id or its address.

    Twitch is asked where nobody watches the channel. Raises `UnknownThing` where there is none, `LootwireError` that
    names the setting where an application is needed, and `SourceError` where Twitch does not answer.
    """
    name = parse_name(written)
    if name.problem is not None:
        raise UnknownThing(f"{on_a_line(written, NAME_LENGTH)!r} {name.problem}")
    with engine.connect() as connection:
        known = find_channel(connection, name, person_id=person_id)
        lines = [] if known is None else list_watched_among(connection, [known.external_id], now)
    if known is not None and lines:
        return _as_recorded(known, lines[0], now)
    with Client() as client:
        return _as_twitch_says(engine, open_helix(client), name, known, now)


def _as_recorded(known: Known, line: WatchedChannel, now: datetime) -> ChannelStatus:
    return ChannelStatus(
        login=line.login,
        display_name=line.display_name,
        external_id=line.external_id,
        former_logins=line.former_logins,
        followed=known.followed,
        watched=True,
        covered=line.covered,
        known_by="recording",
        at=now,
        live=line.live,
        rerun=line.rerun,
        title=line.live.title if line.live is not None else None,
        category=line.live.category if line.live is not None else None,
        last_stream_at=line.last_stream_at,
    )


def _as_twitch_says(engine: Engine, helix: Helix, name: Name, known: Known | None, now: datetime) -> ChannelStatus:
    meaning = ask_users(engine, helix, [name]).meant_by(name)
    if meaning is None:
        raise UnknownThing(f"Twitch knows no channel {on_a_line(name.text, NAME_LENGTH)!r}")
    user: UserRecord = meaning[0]
    stream = next(iter(helix.streams(user_ids=[user.external_id])), None)
    info = stream or next(iter(helix.channels([user.external_id])), None)
    category = info.game.name if info is not None and info.game is not None else None
    is_same = known is not None and known.external_id == user.external_id
    return ChannelStatus(
        login=user.login,
        display_name=user.display_name,
        external_id=user.external_id,
        former_logins=tuple(known.former_logins) if known is not None and is_same else (),
        followed=False,
        watched=False,
        covered=None,
        known_by="twitch",
        at=now,
        live=None
        if stream is None
        else Live(since=stream.started_at, title=stream.title, category=category, viewers=stream.viewers),
        rerun=None,
        title=info.title if info is not None else None,
        category=category,
        last_stream_at=stream.started_at if stream is not None else None,
    )
