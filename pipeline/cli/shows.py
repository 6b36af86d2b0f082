"""Commands on shows: podcasts that make themselves of a channel's videos, or of what an address lists."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit
from uuid import uuid4

import msgspec
import typer
from sqlalchemy import Connection, select

from feeds.podcasts.marking import mark_shows
from feeds.podcasts.rss import CATEGORIES, is_language
from models import Channel, Follow, Game
from models.errors import UsageError
from models.names import name_key
from pipeline.catalogue.people import person_named
from pipeline.channels.following.adding import add_channels
from pipeline.channels.following.names import Name, parse_name
from pipeline.cli.commands import COMMANDS, make_noun
from pipeline.cli.meaning import refuse_person
from pipeline.cli.opening import open_command
from pipeline.cli.podcast_addresses import podcast_addresses, print_addresses
from pipeline.cli.sounds import PersonName, ProfileName, print_sounds, profile_of, sound_row
from pipeline.fetch.http import Client
from pipeline.games.finding.unknown import unknown_game
from pipeline.runtime.output import JsonFlag, console, parse_since, print_json, print_rows, show
from pipeline.runtime.runtime import Runtime, utc_now
from pipeline.sound.listing.shows import load_shows
from pipeline.sound.listing.sounds import SoundFilter, load_sounds
from pipeline.sound.media.running import MediaFailed
from pipeline.sound.records import Keep
from pipeline.sound.rendering.artwork import square_of_picture
from pipeline.sound.store.shows import (
    VIDEO_KINDS,
    ShowOptions,
    ShowRow,
    add_show,
    change_show,
    find_show,
    name_of,
    read_keep,
    remove_show,
)

SERVICE = "twitch"
shows = make_noun(COMMANDS["shows"].help)
ShowName = Annotated[str, typer.Argument(metavar="SHOW", help="The show's name.")]
Kinds = Annotated[
    list[str] | None,
    typer.Option("--kind", help=f"Which videos: {', '.join(VIDEO_KINDS)}; archive by default, may be repeated."),
]
TitleHas = Annotated[str | None, typer.Option(metavar="TEXT", help="Only those with this in the title; '' for all.")]
LongerThan = Annotated[str | None, typer.Option(metavar="TIME", help="Only longer ones: 90s, 10m, 2h; 0s for all.")]
Category = Annotated[
    str | None, typer.Option(metavar="GAME", help="Only those in which this category was on; '' for all.")
]
KeepText = Annotated[
    str | None,
    typer.Option("--keep", metavar="AMOUNT", help="20 episodes, 30d or 5GB, also 20,30d; '' keeps everything."),
]
Public = Annotated[
    bool | None,
    typer.Option("--public/--private", help="Whether everybody may find it; else only who has its address."),
]
Explicit = Annotated[bool | None, typer.Option("--explicit/--clean", help="What its feed says of its language.")]
Title = Annotated[str | None, typer.Option(metavar="TEXT", help="What apps call it.")]
Description = Annotated[str | None, typer.Option(metavar="TEXT", help="What it is about.")]
Author = Annotated[str | None, typer.Option(metavar="NAME", help="Who made it; the channel by default.")]
Language = Annotated[str | None, typer.Option(metavar="CODE", help="Such as en or pt-BR.")]
Genre = Annotated[str | None, typer.Option(metavar="CATEGORY", help="Of Apple's list; Leisure by default.")]
Cover = Annotated[Path | None, typer.Option(metavar="FILE", help="A picture of your own for it.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(shows, name="shows")


@shows.callback(invoke_without_command=True)
def list_by_default(context: typer.Context, person: PersonName = None, as_json: JsonFlag = False) -> None:
    """Show your podcasts that make themselves; with a command, make one of a channel's streams, or change one."""
    refuse_person(context, person)
    if context.invoked_subcommand is None:
        list_all(person=person, as_json=as_json)


@shows.command("list")
def list_all(person: PersonName = None, as_json: JsonFlag = False) -> None:
    """Show your shows: what each takes, how many episodes it has, and how many it waits for."""
    with open_command().engine.connect() as connection:
        listed = load_shows(connection, person_named(connection, person))
    rows = [
        {
            "show": row.pop("id"),
            **row,
            **(
                {} if as_json else {"of": row["channel"] or row["url"], "keeps": _kept(row), "public": row["is_public"]}
            ),
        }
        for row in listed
    ]
    empty = "There are no shows yet: lootwire shows add CHANNEL"
    columns = ("name", "of", "episodes", "waiting", "failed", "newest_at", "kinds", "keeps", "profile", "problem")
    print_rows(rows, as_json=as_json, columns=columns, empty=empty, needed=3)


@shows.command("add")
def add(
    source: Annotated[
        str, typer.Argument(metavar="CHANNEL|ADDRESS", help="A Twitch channel, or a playlist's or channel's address.")
    ],
    name: Annotated[str | None, typer.Option(metavar="NAME", help="What you call it here; the channel's name.")] = None,
    kind: Kinds = None,
    title_has: TitleHas = None,
    longer_than: LongerThan = None,
    category: Category = None,
    keep: KeepText = None,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="Also what was published since: 30d, 2026-11-01; now by default.")
    ] = None,
    profile: ProfileName = None,
    public: Public = None,
    explicit: Explicit = None,
    title: Title = None,
    description: Description = None,
    author: Author = None,
    language: Language = None,
    genre: Genre = None,
    cover: Cover = None,
    person: PersonName = None,
    as_json: JsonFlag = False,
) -> None:
    """Make a podcast of a channel's streams from now on, or of what a playlist's or channel's address lists.

    An archive is fetched soon after its stream's end, before it expires. The podcast is private unless it is --public:
    others' work is your responsibility.
    """
    runtime, now = open_command(), utc_now()
    begins = parse_since(since, now)
    meant = parse_name(source)
    url = source if "://" in source and meant.problem is not None else None
    options = _options(
        runtime,
        kind=kind,
        title_has=title_has,
        longer_than=longer_than,
        category=category,
        keep=keep,
        profile=profile,
        public=public,
        explicit=explicit,
        title=title,
        description=description,
        author=author,
        language=language,
        genre=genre,
    )
    if url is not None and kind is not None:
        raise UsageError("--kind is of the videos of a Twitch channel; an address has what is listed there")
    channel = None if url is not None else _channel(runtime, meant, now)
    called = name or (channel[1] if channel is not None else _name_of_address(url or ""))
    name_of(called)
    artwork = _artwork(runtime, cover)
    defaults = {"title": called, "author": None if channel is None else channel[1]}
    fields: dict[str, Any] = {
        field: defaults.get(field) if value is None else value for field, value in options.items()
    }
    with runtime.engine.begin() as connection:
        added = add_show(
            connection,
            called,
            now=now,
            channel_id=None if channel is None else channel[0],
            url=url,
            options=ShowOptions(**{field: value for field, value in fields.items() if value is not None}),
            since=begins,
            person_id=person_named(connection, person),
        )
        if artwork is not None:
            change_show(connection, added.id, artwork=artwork)
    addresses = podcast_addresses(runtime, "show", added.id, now)
    if as_json:
        print_json(_row(added) | addresses)
        return
    console.print(f"{show(added.name)}: episodes come from now on.", markup=False, soft_wrap=True)
    print_addresses(addresses, is_public=added.is_public)


@shows.command("show")
def show_one(name: ShowName, person: PersonName = None, as_json: JsonFlag = False) -> None:
    """Show a show: its episodes, what it takes, and where its podcast is."""
    runtime, now = open_command(), utc_now()
    with runtime.engine.connect() as connection:
        owner = person_named(connection, person)
        chosen = find_show(connection, name, person_id=owner)
        (counts,) = [row for row in load_shows(connection, owner) if row["id"] == chosen.id]
        lines = load_sounds(connection, owner, SoundFilter(show=chosen.id))
    addresses = podcast_addresses(runtime, "show", chosen.id, now)
    if as_json:
        more = {field: counts[field] for field in ("channel", "game", "episodes", "waiting", "failed", "newest_at")}
        print_json(_row(chosen) | more | addresses | {"sounds": [sound_row(line) for line in lines]})
        return
    print_sounds(lines, as_json=False, empty="It has no episode yet.")
    facts = (
        ("Of", counts["channel"] or counts["url"]),
        ("Takes", _taken(counts)),
        ("Keeps", _kept(counts)),
        ("Waits for", counts["waiting"] or None),
        ("Failed", f"{counts['failed']}: lootwire extractions list --state failed" if counts["failed"] else None),
        ("Problem", counts["problem"]),
    )
    for label, value in facts:
        if value is not None:
            console.print(f"  {label}: {show(value)}", markup=False, soft_wrap=True)
    print_addresses(addresses, is_public=chosen.is_public)


@shows.command("change")
def change(
    name: ShowName,
    new_name: Annotated[str | None, typer.Option("--name", metavar="NAME", help="What you call it now.")] = None,
    kind: Kinds = None,
    title_has: TitleHas = None,
    longer_than: LongerThan = None,
    category: Category = None,
    keep: KeepText = None,
    profile: ProfileName = None,
    public: Public = None,
    explicit: Explicit = None,
    title: Title = None,
    description: Description = None,
    author: Author = None,
    language: Language = None,
    genre: Genre = None,
    cover: Cover = None,
    person: PersonName = None,
    as_json: JsonFlag = False,
) -> None:
    """Change what a show takes and keeps from now on, what its feed says, and who may find it."""
    runtime, now = open_command(), utc_now()
    options = _options(
        runtime,
        kind=kind,
        title_has=title_has,
        longer_than=longer_than,
        category=category,
        keep=keep,
        profile=profile,
        public=public,
        explicit=explicit,
        title=title,
        description=description,
        author=author,
        language=language,
        genre=genre,
    )
    values = {field: value for field, value in options.items() if value is not None}
    kept = values.pop("keep", None)
    if kept is not None:
        values |= {"keep_count": kept.count, "keep_days": kept.days, "keep_mb": kept.mb}
    if "kinds" in values:
        values["kinds"] = list(values["kinds"])
    # What is empty wants nothing any more.
    values |= {field: None for field in ("title_has", "longer_than", "game_id") if values.get(field) in {"", 0}}
    artwork = _artwork(runtime, cover)
    if artwork is not None:
        values["artwork"] = artwork
    with runtime.engine.begin() as connection:
        owner = person_named(connection, person)
        chosen = find_show(connection, name, person_id=owner)
        if new_name is not None:
            values |= _new_name(connection, chosen, new_name, owner)
        if values.get("kinds") and "clip" in values["kinds"] and chosen.next_due_at is None:
            values["next_due_at"] = now
        if values:
            change_show(connection, chosen.id, **values)
        mark_shows(connection, [chosen.id])
        changed = find_show(connection, values.get("name", chosen.name), person_id=owner)
    if as_json:
        print_json(_row(changed))
    else:
        console.print(f"{show(changed.name)} is changed.", markup=False, soft_wrap=True)


@shows.command("remove")
def remove(name: ShowName, person: PersonName = None) -> None:
    """Remove a show and its podcast; nothing more is fetched for it. Its sounds stay until you remove them."""
    with open_command().engine.begin() as connection:
        chosen = find_show(connection, name, person_id=person_named(connection, person))
        remove_show(connection, chosen.id, utc_now())
    console.print(f"{show(chosen.name)} is removed; its sounds stay.", markup=False, soft_wrap=True)


def _options(runtime: Runtime, **given: Any) -> dict[str, Any]:
    """Return what a person said of a show as `ShowOptions` calls it; None for what nothing was said of."""
    kinds, genre, language = given["kind"], given["genre"], given["language"]
    if genre is not None and genre.partition(" > ")[0] not in CATEGORIES:
        raise UsageError(f"{genre!r} is none of Apple's categories: {', '.join(CATEGORIES)}")
    if language and not is_language(language):
        raise UsageError(f"{language!r} is no code of a language: write en or pt-BR")
    if kinds is not None and (unknown := [each for each in kinds if each not in VIDEO_KINDS]):
        raise UsageError(f"{unknown[0]!r} is no kind of video; there are {', '.join(VIDEO_KINDS)}")
    return {
        "kinds": None if kinds is None else tuple(dict.fromkeys(kinds)),
        "title_has": given["title_has"],
        "longer_than": None if given["longer_than"] is None else _seconds(given["longer_than"]),
        "game_id": None if given["category"] is None else _game(runtime, given["category"]),
        "keep": None if given["keep"] is None else read_keep(given["keep"]) if given["keep"] else Keep(),
        "profile": None if given["profile"] is None else profile_of(runtime, given["profile"]),
        "is_public": given["public"],
        "is_explicit": given["explicit"],
        **{field: given[field] for field in ("title", "description", "author", "language")},
        "category": genre,
    }


def _seconds(text: str) -> int:
    units = {"s": 1, "m": 60, "h": 3600}
    number, unit = text.strip()[:-1], text.strip()[-1:].lower()
    if unit not in units or not number.isascii() or not number.isdigit() or len(number) > 6:
        raise UsageError(f"{text!r} is no length: write 90s, 10m or 2h")
    return int(number) * units[unit]


def _game(runtime: Runtime, name: str) -> int:
    """Return the row of a category; 0 for an empty name. Raises `UsageError` with the nearest names."""
    if not name.strip():
        return 0
    with runtime.engine.connect() as connection:
        known = connection.scalar(select(Game.id).where(Game.name_key == name_key(name)).order_by(Game.id).limit(1))
        if known is not None:
            return known
        unknown = unknown_game(connection, name)
    near = f"; did you mean {' or '.join(map(repr, unknown.near))}?" if unknown is not None and unknown.near else ""
    raise UsageError(f"no game is called {name!r} that was seen so far{near}")


def _channel(runtime: Runtime, meant: Name, now: datetime) -> tuple[int, str]:
    """Return the channel that is meant, with its name; one that is not followed is followed, so that Twitch tells it.

    Raises `UsageError` where there is none, `SourceError` where Twitch is needed and does not answer.
    """
    if meant.problem is not None:
        raise UsageError(f"{meant.text!r} is no channel and no address: {meant.problem}")
    known = _known_channel(runtime, meant, is_followed=True)
    if known is not None:
        return known
    with Client() as client:
        (outcome,) = add_channels(runtime.engine, runtime.needed_helix(client), [meant], now)
    if outcome.external_id is None:
        raise UsageError(f"{meant.text!r} is no channel at Twitch: {outcome.note or outcome.result}")
    followed = _known_channel(runtime, Name(meant.text, external_id=outcome.external_id), is_followed=False)
    if followed is None:
        raise UsageError(f"{meant.text!r} cannot be followed")
    return followed


def _known_channel(runtime: Runtime, meant: Name, *, is_followed: bool) -> tuple[int, str] | None:
    same = Channel.login == meant.login.lower() if meant.login else Channel.external_id == meant.external_id
    query = select(Channel.id, Channel.display_name, Channel.login).where(Channel.service == SERVICE, same)
    if is_followed:
        query = query.where(Channel.id.in_(select(Follow.channel_id).where(Follow.kind == "channel")))
    with runtime.engine.connect() as connection:
        row = connection.execute(query.order_by(Channel.id).limit(1)).one_or_none()
    return None if row is None else (row.id, row.display_name or row.login or meant.text)


def _name_of_address(url: str) -> str:
    parts = urlsplit(url)
    last = parts.path.rstrip("/").rpartition("/")[2]
    return f"{(parts.hostname or '').removeprefix('www.')} {last}".strip()


def _new_name(connection: Connection, chosen: ShowRow, new_name: str, owner: int) -> dict[str, str]:
    shown, key = name_of(new_name)
    try:
        other = find_show(connection, new_name, person_id=owner)
    except UsageError:
        other = chosen
    if other.id != chosen.id:
        raise UsageError(f"there is a show {shown!r} already: `lootwire shows` lists them")
    return {"name": shown, "name_key": key}


def _artwork(runtime: Runtime, cover: Path | None) -> str | None:
    """Make a show's picture of a file; returns where it lies below the data directory."""
    if cover is None:
        return None
    if not cover.is_file():
        raise UsageError(f"{cover} is no picture that can be read")
    from pipeline.sound.media.ffmpeg import find_ffmpeg

    path = f"sounds/artwork/show-{uuid4().hex}.jpg"
    to = runtime.settings.data_dir / path
    to.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        square_of_picture(find_ffmpeg(runtime.settings.ffmpeg), cover.resolve(), to)
    except MediaFailed as error:
        raise UsageError(f"{cover} is no picture that can be read") from error
    return path


def _kept(row: dict[str, Any]) -> str:
    amounts = (
        (row["keep_count"], "{:,} episodes"),
        (row["keep_days"], "{:,} days"),
        (row["keep_mb"], "{:,} MB"),
    )
    return ", ".join(text.format(amount) for amount, text in amounts if amount is not None) or "everything"


def _taken(row: dict[str, Any]) -> str:
    conditions = [
        f"with {row['title_has']!r} in the title" if row["title_has"] else None,
        f"longer than {row['longer_than']:,} seconds" if row["longer_than"] else None,
        f"with {row['game']}" if row["game"] else None,
    ]
    kinds = "what is listed there" if row["url"] else ", ".join(row["kinds"])
    return " ".join(filter(None, [kinds, *conditions]))


def _row(row: ShowRow) -> dict[str, Any]:
    values = msgspec.structs.asdict(row)
    for hidden in ("person_id", "channel_id", "game_id"):
        del values[hidden]
    return {"show": values.pop("id"), **values}
