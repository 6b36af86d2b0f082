"""Shows: podcasts that make themselves of a channel's videos, or of what an address lists."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit
from uuid import uuid4

import msgspec
from msgspec import UNSET, UnsetType
from sqlalchemy import Connection, select

from feeds.podcasts.marking import mark_shows
from feeds.podcasts.rss import CATEGORIES, is_language
from models import Channel, Follow, Game
from models.errors import UnknownThing, UsageError
from models.moments import Moment
from models.names import name_key
from pipeline.channels.following.adding import add_channels
from pipeline.channels.following.names import Name, parse_name
from pipeline.fetch.http import Client
from pipeline.games.finding.unknown import unknown_game
from pipeline.operations.sounds import check_room, profile_of
from pipeline.programs.sounds import check_tools
from pipeline.runtime.runtime import Runtime
from pipeline.sound.listing.shows import load_shows
from pipeline.sound.media.ffmpeg import find_ffmpeg
from pipeline.sound.media.running import MediaFailed
from pipeline.sound.records import Keep
from pipeline.sound.rendering.artwork import square_of_picture
from pipeline.sound.store import shows as store
from pipeline.sound.store.shows import ShowOptions, VideoKind

SERVICE = "twitch"
# So that they fit into their columns, and a text from outside into a page.
Amount = Annotated[int, msgspec.Meta(ge=1, le=999_999_999)]
Text = Annotated[str, msgspec.Meta(max_length=4000)]


class ShowAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A show: what it takes and keeps, how its podcast is published, and how many episodes it has and waits for.

    `longer_than` is in seconds. `category` is one of Apple's, `game` a category of streams. `problem` says why its list
    could not be read the last time.
    """

    id: int = msgspec.field(name="show")
    public_id: str
    name: str
    title: str
    description: str | None
    author: str | None
    language: str | None
    url: str | None
    kinds: list[str]
    title_has: str | None
    longer_than: int | None
    keep_count: int | None
    keep_days: int | None
    keep_mb: int | None
    profile: str
    is_public: bool
    is_explicit: bool
    category: str
    artwork: str | None
    since: Moment
    added_at: Moment
    next_due_at: Moment | None
    problem: str | None
    channel: str | None
    game: str | None
    episodes: int
    waiting: int
    failed: int
    newest_at: Moment | None


class ShowFields(msgspec.Struct, frozen=True, kw_only=True):
    """What a person says of a show; what is not given stays as it is, or as it is for all.

    `longer_than` is in seconds, `game` the name of a category that was on, `category` one of Apple's. Null wants
    nothing: any title, any length, any game, everything kept.
    """

    kinds: list[VideoKind] | UnsetType = UNSET
    title_has: Text | UnsetType | None = UNSET
    longer_than: Annotated[int, msgspec.Meta(ge=0, le=999_999_999)] | UnsetType | None = UNSET
    game: Text | UnsetType | None = UNSET
    keep_count: Amount | UnsetType | None = UNSET
    keep_days: Amount | UnsetType | None = UNSET
    keep_mb: Amount | UnsetType | None = UNSET
    profile: str | UnsetType = UNSET
    is_public: bool | UnsetType = UNSET
    is_explicit: bool | UnsetType = UNSET
    title: Text | UnsetType = UNSET
    description: Text | UnsetType | None = UNSET
    author: Text | UnsetType | None = UNSET
    language: str | UnsetType | None = UNSET
    category: str | UnsetType = UNSET


def list_shows(connection: Connection, person_id: int) -> list[ShowAnswer]:
    """Return a person's shows by name."""
    return [ShowAnswer(**row) for row in load_shows(connection, person_id)]


def find_show(connection: Connection, person_id: int, name: str) -> ShowAnswer:
    """Return a person's show by its name, or its number; raises `UnknownThing` where it is none of theirs."""
    shows = list_shows(connection, person_id)
    if name.isascii() and name.isdecimal():
        numbered = [show for show in shows if str(show.id) == name]
        if numbered:
            return numbered[0]
    chosen = store.find_show(connection, name, person_id=person_id)
    return next(show for show in shows if show.id == chosen.id)


def add_show(
    runtime: Runtime,
    person_id: int,
    now: datetime,
    source: str,
    fields: ShowFields,
    *,
    name: str | None = None,
    since: datetime | None = None,
    cover: Path | None = None,
) -> ShowAnswer:
    """Make a podcast of a channel's streams from now on, or from `since`, or of what an address lists.

    `source` is a channel of Twitch, which is followed from now on, or the address of a playlist or channel; `cover` a
    picture on this machine. Call it with no transaction open. Raises `UsageError` where something of it is none,
    `SourceError` where Twitch is needed and does not answer, `LootwireError` where nothing here can fetch sounds,
    `QuotaError` where the person's plan has no room for more.
    """
    check_tools(runtime.settings)
    meant = parse_name(source)
    url = source if "://" in source and meant.problem is not None else None
    with runtime.engine.connect() as connection:
        check_room(connection, person_id)
        values = _columns(runtime, connection, fields)
    if url is not None and "kinds" in values:
        raise UsageError("--kind is of the videos of a Twitch channel; an address has what is listed there")
    channel = None if url is not None else _channel(runtime, person_id, meant, now)
    called = name or (channel[1] if channel is not None else _name_of_address(url or ""))
    store.name_of(called)
    artwork = None if cover is None else keep_cover(runtime, cover)
    defaults = {"title": called, "author": None if channel is None else channel[1]}
    given = {field: value for field, value in (defaults | values).items() if value is not None}
    keep = Keep(**{part: given.pop(f"keep_{part}", None) for part in ("count", "days", "mb")})
    if "kinds" in given:
        given["kinds"] = tuple(given["kinds"])
    with runtime.engine.begin() as connection:
        added = store.add_show(
            connection,
            called,
            now=now,
            channel_id=None if channel is None else channel[0],
            url=url,
            options=ShowOptions(**given, keep=keep),
            since=since,
            person_id=person_id,
        )
        if artwork is not None:
            store.change_show(connection, added.id, artwork=artwork)
        return find_show(connection, person_id, added.name)


def change_show(
    runtime: Runtime,
    connection: Connection,
    person_id: int,
    now: datetime,
    show: ShowAnswer,
    fields: ShowFields,
    *,
    name: str | None = None,
    artwork: str | None = None,
) -> ShowAnswer:
    """Change what a show takes and keeps from now on, what its feed says, who may find it, and what it is called.

    `artwork` is what `keep_cover` gave. Raises `UsageError` where the new name is taken, or something is none.
    """
    values = _columns(runtime, connection, fields)
    if artwork is not None:
        values["artwork"] = artwork
    if name is not None:
        values |= _new_name(connection, person_id, show, name)
    if values.get("kinds") and "clip" in values["kinds"] and show.next_due_at is None:
        values["next_due_at"] = now
    if values:
        store.change_show(connection, show.id, **values)
    mark_shows(connection, [show.id])
    return next(each for each in list_shows(connection, person_id) if each.id == show.id)


def remove_show(connection: Connection, show_id: int, now: datetime) -> None:
    """Remove a show and its podcast; nothing more is fetched for it, and its sounds stay."""
    store.remove_show(connection, show_id, now)


def keep_cover(runtime: Runtime, cover: Path) -> str:
    """Make a show's picture of a file on this machine; returns where it lies below the data directory.

    Raises `UsageError` where it is no picture.
    """
    if not cover.is_file():
        raise UsageError(f"{cover} is no picture that can be read")
    path = f"sounds/artwork/show-{uuid4().hex}.jpg"
    to = runtime.settings.data_dir / path
    to.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        square_of_picture(find_ffmpeg(runtime.settings.ffmpeg), cover.resolve(), to)
    except MediaFailed as error:
        raise UsageError(f"{cover} is no picture that can be read") from error
    return path


def _columns(runtime: Runtime, connection: Connection, fields: ShowFields) -> dict[str, Any]:
    """Return what a person said of a show by its columns; raises `UsageError` where something is none."""
    values = {name: value for name in ShowFields.__struct_fields__ if (value := getattr(fields, name)) is not UNSET}
    category, language = values.get("category"), values.get("language")
    if category is not None and category.partition(" > ")[0] not in CATEGORIES:
        raise UsageError(f"{category!r} is none of Apple's categories: {', '.join(CATEGORIES)}")
    if language and not is_language(language):
        raise UsageError(f"{language!r} is no code of a language: write en or pt-BR")
    if "kinds" in values:
        values["kinds"] = list(dict.fromkeys(values["kinds"]))
        if not values["kinds"]:
            raise UsageError(f"a show takes some kind of video: {', '.join(store.VIDEO_KINDS)}")
    if "profile" in values:
        values["profile"] = profile_of(runtime, values["profile"])
    if "game" in values:
        game = (values.pop("game") or "").strip()
        values["game_id"] = _game(connection, game) if game else None
    # What is empty wants nothing.
    return values | {name: None for name in ("title_has", "longer_than") if name in values and not values[name]}


def _game(connection: Connection, name: str) -> int:
    """Return the row of a category; raises `UsageError` with the nearest names."""
    known = connection.scalar(select(Game.id).where(Game.name_key == name_key(name)).order_by(Game.id).limit(1))
    if known is not None:
        return known
    unknown = unknown_game(connection, name)
    near = f"; did you mean {' or '.join(map(repr, unknown.near))}?" if unknown is not None and unknown.near else ""
    raise UsageError(f"no game is called {name!r} that was seen so far{near}")


def _channel(runtime: Runtime, person_id: int, meant: Name, now: datetime) -> tuple[int, str]:
    """Return the channel that is meant, with its name; one that the person does not follow is followed.

    Raises `UsageError` where there is none, `SourceError` where Twitch is needed and does not answer.
    """
    if meant.problem is not None:
        raise UsageError(f"{meant.text!r} is no channel and no address: {meant.problem}")
    known = _known_channel(runtime, meant, follower=person_id)
    if known is not None:
        return known
    with Client() as client:
        helix = runtime.needed_helix(client)
        (outcome,) = add_channels(runtime.engine, helix, [meant], now, person_id=person_id)
    if outcome.external_id is None:
        raise UsageError(f"{meant.text!r} is no channel at Twitch: {outcome.note or outcome.result}")
    followed = _known_channel(runtime, Name(meant.text, external_id=outcome.external_id), follower=None)
    if followed is None:
        raise UsageError(f"{meant.text!r} cannot be followed")
    return followed


def _known_channel(runtime: Runtime, meant: Name, *, follower: int | None) -> tuple[int, str] | None:
    same = Channel.login == meant.login.lower() if meant.login else Channel.external_id == meant.external_id
    query = select(Channel.id, Channel.display_name, Channel.login).where(Channel.service == SERVICE, same)
    if follower is not None:
        followed = select(Follow.channel_id).where(Follow.kind == "channel", Follow.person_id == follower)
        query = query.where(Channel.id.in_(followed))
    with runtime.engine.connect() as connection:
        row = connection.execute(query.order_by(Channel.id).limit(1)).one_or_none()
    return None if row is None else (row.id, row.display_name or row.login or meant.text)


def _name_of_address(url: str) -> str:
    parts = urlsplit(url)
    last = parts.path.rstrip("/").rpartition("/")[2]
    return f"{(parts.hostname or '').removeprefix('www.')} {last}".strip()


def _new_name(connection: Connection, person_id: int, show: ShowAnswer, name: str) -> dict[str, str]:
    shown, key = store.name_of(name)
    try:
        other = store.find_show(connection, name, person_id=person_id).id
    except UnknownThing:
        other = show.id
    if other != show.id:
        raise UsageError(f"there is a show {shown!r} already: `lootwire shows` lists them")
    return {"name": shown, "name_key": key}
