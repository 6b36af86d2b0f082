"""Commands on followed channels: `channels`, and its `add`, `remove`, `list`, `import` and `status`."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text
from sqlalchemy import Connection, Engine

from models.errors import UnknownThing
from pipeline.catalogue.unknown import unknown_channel
from pipeline.channels.following.adding import Outcome
from pipeline.channels.following.lists import LARGEST_LIST, read_list
from pipeline.channels.following.watched import DEFAULT_TOP
from pipeline.channels.listing.status import ChannelStatus
from pipeline.channels.listing.watching import WatchedChannel
from pipeline.cli import channel_recordings, channel_statistics
from pipeline.cli.commands import COMMANDS, make_noun
from pipeline.cli.meaning import person_of, refuse_person
from pipeline.cli.opening import MISUSED, SET_ASIDE, open_command, read_named
from pipeline.operations import channels as operations
from pipeline.operations.channels import AddedGroup, WantedCategory
from pipeline.runtime.output import JsonFlag, console, distance, errors, print_json, show
from pipeline.runtime.runtime import utc_now

FAILED = 1
SHOWN_AT_MOST = 20
channels = make_noun(COMMANDS["channels"].help)
Names = Annotated[
    list[str] | None, typer.Argument(metavar="NAME", help="Logins, numeric ids or addresses of channels.")
]
Drops = Annotated[bool, typer.Option("--drops", help="All channels that running campaigns name.")]
Game = Annotated[list[str] | None, typer.Option("--game", help="A category, by name; may be given several times.")]
All = Annotated[bool, typer.Option("--all", help="Also those that campaigns name and that are not live.")]
Person = Annotated[
    str | None, typer.Option("--person", metavar="NAME", help="Whose follows they are; the owner's, if none is given.")
]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    channel_statistics.add_to(channels)
    channel_recordings.add_to(channels)
    app.add_typer(channels, name="channels")


@channels.callback(invoke_without_command=True)
def list_by_default(context: typer.Context, as_json: JsonFlag = False, person: Person = None) -> None:
    """Show the followed channels; with a command, change them."""
    refuse_person(context, person)
    if context.invoked_subcommand is None:
        list_channels(as_json=as_json, person=person)


@channels.command("list")
def list_channels(as_json: JsonFlag = False, every: All = False, person: Person = None) -> None:
    """Show who is watched and why, what is on now, and whether it is told in real time or found by polling."""
    runtime, now = open_command(), utc_now()
    person_id = person_of(runtime, person)
    with runtime.engine.connect() as connection:
        lines = operations.list_channels(connection, person_id, now)
        groups = _groups(connection, person_id, lines)
    if as_json:
        for line in lines:
            print_json(line)
        return
    shown = [line for line in lines if every or line.live or "by hand" in line.why]
    if shown:
        console.print(_table(shown, now))
    for group in groups:
        console.print(group, markup=False, soft_wrap=True)
    if not lines and not groups:
        console.print("No channel is followed yet: `lootwire channels add NAME…`.", markup=False)


@channels.command("add")
def add(
    names: Names = None,
    drops: Drops = False,
    game: Game = None,
    top: Annotated[int, typer.Option(min=1, max=500, help="How many streams of a category.")] = DEFAULT_TOP,
    as_json: JsonFlag = False,
    person: Person = None,
) -> int:
    """Follow channels, all channels that campaigns name, or the most watched of a category."""
    if not names and not drops and not game:
        raise typer.BadParameter("give a NAME, --drops or --game NAME")
    runtime = open_command()
    categories = [WantedCategory(name=name, top=top) for name in game or []]
    person_id = person_of(runtime, person)
    added = operations.follow(runtime, person_id, utc_now(), names=names or [], categories=categories, drops=drops)
    if as_json:
        _print_json([*added.channels, *added.groups])
    else:
        _print_outcomes(added.channels)
        _print_near(runtime.engine, added.channels)
        for group in added.groups:
            (errors if group.is_set_aside else console).print(_sentence(group, top), markup=False, soft_wrap=True)
    return _code([*added.channels, *added.groups], nothing_done=MISUSED)


def _sentence(group: AddedGroup, top: int) -> str:
    """Return what became of the wish to follow a group of channels, for a person."""
    if group.is_set_aside:
        return f"lootwire: {show(group.note)}"
    if group.group == "drops":
        since = " from now on." if group.result == "followed" else " already."
        return f"All channels that running campaigns name are watched{since}"
    return f"{show(group.group)}: its {top} most watched streams are recorded from now on"


@channels.command("remove")
def remove(names: Names = None, drops: Drops = False, game: Game = None, person: Person = None) -> int:
    """Follow channels, campaigns' channels or categories no longer; what was recorded of them stays."""
    if not names and not drops and not game:
        raise typer.BadParameter("give a NAME, --drops or --game NAME")
    runtime, now = open_command(), utc_now()
    person_id = person_of(runtime, person)
    done: list[str] = []
    missed: list[str] = []
    with runtime.engine.begin() as connection:
        for name in names or []:
            try:
                known = operations.unfollow_channel(connection, person_id, now, name)
                done.append(f"{known.login}: followed no longer{_once(name, known.login)}")
            except UnknownThing as error:
                missed.append(str(error))
        for name in game or []:
            try:
                operations.unfollow_category_named(connection, person_id, name)
                done.append(f"{name}: recorded no longer")
            except UnknownThing as error:
                missed.append(str(error))
        if drops:
            try:
                operations.unfollow_campaign_channels(connection, person_id)
                done.append("campaigns' channels: watched no longer")
            except UnknownThing:
                missed.append("campaigns' channels: watched no longer")
    for line in done:
        console.print(show(line), markup=False, soft_wrap=True)
    for line in missed:
        errors.print(f"lootwire: {show(line)}", markup=False, soft_wrap=True)
    return (SET_ASIDE if done else MISUSED) if missed else 0


@channels.command("import")
def import_list(
    file: Annotated[
        str | None, typer.Argument(metavar="FILE", help="Text (one a line), CSV or JSON; - for standard input.")
    ] = None,
    from_twitch: Annotated[
        bool, typer.Option("--from-twitch", help="Whom the account follows that is signed in to Twitch.")
    ] = False,
    as_json: JsonFlag = False,
    person: Person = None,
) -> int:
    """Follow the channels of a list, or all that a user follows at Twitch."""
    if (file is None) is not from_twitch:
        raise typer.BadParameter("give either a FILE, - for standard input, or --from-twitch")
    listed = read_list(read_named(file, LARGEST_LIST + 1)) if file is not None else None
    runtime = open_command()
    added, taken_as = operations.follow_list(runtime, person_of(runtime, person), utc_now(), listed)
    outcomes = added.channels
    if as_json:
        _print_json(outcomes)
        return _code(outcomes)
    count = Counter(outcome.result for outcome in outcomes)
    console.print(f"{len(outcomes)} channels, read as {taken_as}", markup=False)
    for result, number in count.most_common():
        console.print(f"{number:>8}  {result}")
    _print_outcomes([outcome for outcome in outcomes if outcome.is_set_aside or outcome.note])
    return _code(outcomes)


@channels.command("status")
def show_status(
    name: Annotated[str, typer.Argument(help="A channel: its login, one it had before, its id or its address.")],
    as_json: JsonFlag = False,
    person: Person = None,
) -> None:
    """Show what is on at a channel now; Twitch is asked where nobody watches it."""
    runtime, now = open_command(), utc_now()
    status = operations.show_status(runtime, person_of(runtime, person), now, name)
    if as_json:
        print_json(status)
        return
    display = status.display_name or status.login
    login = "" if display.lower() == status.login else f" ({status.login})"
    console.print(show(f"{display}{login}"), style="bold", markup=False)
    console.print(show(_on_now(status, now)), markup=False, soft_wrap=True)
    how = f"watched, told by {status.covered}" if status.watched else "watched by nobody: Twitch was asked just now"
    console.print(how, style="dim", markup=False)


def _on_now(status: ChannelStatus, now: datetime) -> str:
    if status.live is not None:
        viewers = "" if status.live.viewers is None else f"{status.live.viewers:,} viewers"
        lasts = f"live for {distance(status.live.since, now).removesuffix(' ago')}"
        return " · ".join(part for part in (lasts, viewers, status.live.category, status.live.title) if part)
    if status.rerun is not None:
        return f"not live: {status.rerun.replace('_', ' ')}"
    last = f", last on {distance(status.last_stream_at, now)}" if status.last_stream_at else ""
    return f"not live{last}"


def _code(results: Sequence[Outcome | AddedGroup], *, nothing_done: int = FAILED) -> int:
    aside = sum(result.is_set_aside for result in results)
    return 0 if not aside else nothing_done if aside == len(results) else SET_ASIDE


def _print_json(results: Sequence[Outcome | AddedGroup]) -> None:
    for result in results:
        print_json(result)


def _print_outcomes(outcomes: Sequence[Outcome]) -> None:
    for outcome in outcomes[:SHOWN_AT_MOST]:
        note = f" ({outcome.note})" if outcome.note else ""
        if outcome.is_set_aside:
            errors.print(f"lootwire: {show(outcome.name)}: {show(outcome.note)}", markup=False, soft_wrap=True)
        else:
            console.print(f"{show(outcome.login)}: {outcome.result}{show(note)}", markup=False, soft_wrap=True)
    if len(outcomes) > SHOWN_AT_MOST:
        console.print(f"… and {len(outcomes) - SHOWN_AT_MOST} more; --json tells all of them")


def _print_near(engine: Engine, outcomes: Sequence[Outcome]) -> None:
    """Say which known channel may be meant by each name that Twitch does not know."""
    with engine.connect() as connection:
        for outcome in [outcome for outcome in outcomes if outcome.is_set_aside][:SHOWN_AT_MOST]:
            unknown = unknown_channel(connection, outcome.name)
            if unknown and unknown.near:
                line = f"lootwire: {outcome.name}: did you mean {' or '.join(unknown.near)}?"
                errors.print(show(line), markup=False, soft_wrap=True)


def _once(name: str, login: str) -> str:
    return "" if name.lower() == login else f" (asked for as {name})"


def _groups(connection: Connection, person_id: int, lines: Sequence[WatchedChannel]) -> list[str]:
    """Return a sentence for each group that is followed."""
    sentences = []
    named = operations.campaign_channels_among(connection, person_id, lines)
    if named.followed:
        counts = f"{named.channels} channels that running campaigns name are watched, {named.live} of them live."
        sentences.append(f"Drops: {counts}")
    categories = operations.list_categories(connection, person_id)
    return sentences + [
        f"Category: the {category.top} most watched streams of {show(category.name)}." for category in categories
    ]


def _table(lines: Sequence[WatchedChannel], now: datetime) -> Table:
    # Other programs read what goes into a pipe: nothing is shortened there.
    table = Table(box=None, pad_edge=False, header_style="bold", expand=console.is_terminal)
    table.add_column("channel", no_wrap=True, max_width=22 if console.is_terminal else None, overflow="ellipsis")
    table.add_column("on now", ratio=1, no_wrap=True, overflow="ellipsis")
    table.add_column("viewers", justify="right", no_wrap=True)
    table.add_column("last on", justify="right", no_wrap=True)
    table.add_column("why", no_wrap=True)
    table.add_column("told by", no_wrap=True)
    for line in lines:
        on_now, viewers, last_on = Text(""), "", distance(line.last_stream_at, now)
        if line.live:
            parts = [part for part in (line.live.category, line.live.title) if part]
            on_now = Text(show(" · ".join(parts)) or "live", style="green")
            viewers = "" if line.live.viewers is None else f"{line.live.viewers:,}"
            last_on = f"for {distance(line.live.since, now).removesuffix(' ago')}"
        elif line.rerun:
            on_now = Text(show(line.rerun.replace("_", " ")), style="dim")
        why = "+".join("hand" if reason == "by hand" else reason for reason in line.why)
        table.add_row(_channel_text(line), on_now, viewers, last_on, why, line.covered)
    return table


def _channel_text(line: WatchedChannel) -> Text:
    """Return the display name, with the login where that differs, and the last former login."""
    name = line.display_name or line.login
    text = show(name) if name.lower() == line.login else f"{show(name)} ({show(line.login)})"
    former = f" was {show(line.former_logins[-1])}" if line.former_logins else ""
    return Text.assemble(text, (former, "dim"))
