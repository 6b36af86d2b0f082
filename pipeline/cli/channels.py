"""Commands on followed channels: `channels`, and its `add`, `remove`, `list` and `import`."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import msgspec
import typer
from rich.table import Table
from rich.text import Text
from sqlalchemy import Connection, Engine, func, select

from models import Follow
from models.errors import LootwireError
from pipeline.catalogue.unknown import unknown_channel
from pipeline.channels.following.adding import Outcome, add_category, add_channels
from pipeline.channels.following.follows import find_channel, follow_drops, unfollow, unfollow_category, unfollow_drops
from pipeline.channels.following.lists import LARGEST_LIST, ReadList, read_list
from pipeline.channels.following.names import Name, parse_name
from pipeline.channels.following.watched import DEFAULT_TOP, followed_categories
from pipeline.channels.listing.watching import WatchedChannel, list_watched
from pipeline.cli.channel_statistics import show_statistics, show_top
from pipeline.cli.commands import COMMANDS, make_noun
from pipeline.cli.opening import MISUSED, SET_ASIDE, open_command, read_named
from pipeline.drops.store.history import find_game
from pipeline.errors import SourceError, SourceRefused
from pipeline.fetch.http import Client
from pipeline.games.finding.unknown import unknown_game
from pipeline.programs.sources import register
from pipeline.runtime.output import JsonFlag, console, distance, errors, print_json, show
from pipeline.runtime.runtime import Runtime, utc_now
from pipeline.services.twitch.account import SERVICE
from pipeline.services.twitch.credentials import load_credential
from pipeline.services.twitch.helix import Helix

FAILED = 1
SHOWN_AT_MOST = 20
channels = make_noun(COMMANDS["channels"].help)
Names = Annotated[
    list[str] | None, typer.Argument(metavar="NAME", help="Logins, numeric ids or addresses of channels.")
]
Drops = Annotated[bool, typer.Option("--drops", help="All channels that running campaigns name.")]
Game = Annotated[list[str] | None, typer.Option("--game", help="A category, by name; may be given several times.")]
All = Annotated[bool, typer.Option("--all", help="Also those that campaigns name and that are not live.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    channels.command("stats")(show_statistics)
    channels.command("top")(show_top)
    app.add_typer(channels, name="channels")


@channels.callback(invoke_without_command=True)
def list_by_default(context: typer.Context, as_json: JsonFlag = False) -> None:
    """Show the followed channels; with a command, change them."""
    if context.invoked_subcommand is None:
        list_channels(as_json=as_json)


@channels.command("list")
def list_channels(as_json: JsonFlag = False, every: All = False) -> None:
    """Show who is watched and why, what is on now, and whether it is told in real time or found by polling."""
    runtime, now = open_command(), utc_now()
    with runtime.engine.connect() as connection:
        lines = list_watched(connection, now)
        groups = _groups(connection, lines)
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
) -> int:
    """Follow channels, all channels that campaigns name, or the most watched of a category."""
    if not names and not drops and not game:
        raise typer.BadParameter("give a NAME, --drops or --game NAME")
    runtime, now = _open(), utc_now()
    with Client() as client:
        # First of all: without an application Lootwire cannot watch any of this, so nothing may be changed.
        helix = runtime.needed_helix(client)
        outcomes = add_channels(runtime.engine, helix, [parse_name(name) for name in names or []], now)
        groups = [_add_category(runtime.engine, helix, name, top, now) for name in game or []]
    if drops:
        groups.append(_add_drops(runtime.engine, now))
    if as_json:
        _print_json([*outcomes, *groups])
    else:
        _print_outcomes(outcomes)
        _print_near(runtime.engine, outcomes)
        for group in groups:
            (errors if group.is_set_aside else console).print(group.sentence, markup=False, soft_wrap=True)
    return _code([*outcomes, *groups], nothing_done=MISUSED)


class _Group(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the request to follow a group of channels; `sentence` says so to a person."""

    group: str
    result: str
    sentence: str
    is_set_aside: bool = False


def _add_category(engine: Engine, helix: Helix, name: str, top: int, now: datetime) -> _Group:
    try:
        category = add_category(engine, helix, name, top, now)
    except SourceError:
        raise
    except LootwireError as error:
        with engine.connect() as connection:
            unknown = unknown_game(connection, name)
        meant = f" (did you mean {' or '.join(unknown.near)}?)" if unknown and unknown.near else ""
        return _Group(group=name, result="unknown", sentence=f"lootwire: {show(error)}{show(meant)}", is_set_aside=True)
    sentence = f"{show(category)}: its {top} most watched streams are recorded from now on"
    return _Group(group=category, result="followed", sentence=sentence)


def _add_drops(engine: Engine, now: datetime) -> _Group:
    with engine.begin() as connection:
        is_new = follow_drops(connection, now)
    result = "followed" if is_new else "already followed"
    sentence = "All channels that running campaigns name are watched" + (" from now on." if is_new else " already.")
    return _Group(group="drops", result=result, sentence=sentence)


@channels.command("remove")
def remove(names: Names = None, drops: Drops = False, game: Game = None) -> int:
    """Follow channels, campaigns' channels or categories no longer; what was recorded of them stays."""
    if not names and not drops and not game:
        raise typer.BadParameter("give a NAME, --drops or --game NAME")
    done, missed = [], []
    with open_command().engine.begin() as connection:
        for name in names or []:
            known = find_channel(connection, parse_name(name), of_followed=True)
            if known is None:
                missed.append(f"{name}: is not followed")
                continue
            unfollow(connection, [known.channel_id], utc_now())
            done.append(f"{known.login}: followed no longer{_once(name, known.login)}")
        for name in game or []:
            wanted = find_game(connection, name)
            if wanted in {category.game_id for category in followed_categories(connection)}:
                unfollow_category(connection, wanted)
                done.append(f"{name}: recorded no longer")
            else:
                missed.append(f"{name}: is not followed")
        if drops:
            (done if unfollow_drops(connection) else missed).append("campaigns' channels: watched no longer")
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
) -> int:
    """Follow the channels of a list, or all that a user follows at Twitch."""
    if (file is None) is not from_twitch:
        raise typer.BadParameter("give either a FILE, - for standard input, or --from-twitch")
    listed = read_list(read_named(file, LARGEST_LIST + 1)) if file is not None else None
    runtime = _open()
    with Client() as client:
        helix = runtime.needed_helix(client)
        listed = listed or _followed_at_twitch(runtime, client)
        outcomes = add_channels(runtime.engine, helix, listed.names, utc_now())
    if as_json:
        _print_json(outcomes)
        return _code(outcomes)
    count = Counter(outcome.result for outcome in outcomes)
    console.print(f"{len(outcomes)} channels, read as {listed.taken_as}", markup=False)
    for result, number in count.most_common():
        console.print(f"{number:>8}  {result}")
    _print_outcomes([outcome for outcome in outcomes if outcome.is_set_aside or outcome.note])
    return _code(outcomes)


def _open() -> Runtime:
    """Return the runtime, with a row for every source, so that those of streams can be made due."""
    runtime = open_command()
    with runtime.engine.begin() as connection:
        register(connection, runtime, utc_now())
    return runtime


def _followed_at_twitch(runtime: Runtime, client: Client) -> ReadList:
    account = runtime.account
    with runtime.engine.connect() as connection:
        credential = load_credential(connection, SERVICE)
    way_out = "`lootwire sources login twitch --follows`"
    if account is None or credential is None:
        raise LootwireError(f"nobody is signed in to Twitch: {way_out}, which also asks to read whom you follow")
    try:
        followed = runtime.needed_helix(client).followed(credential.user_id, account.session(client))
    except SourceRefused as error:
        message = (
            f"the sign-in of {credential.login} may not read whom it follows ({error}): sign in again with {way_out}"
        )
        raise LootwireError(message) from error
    if not followed:
        raise LootwireError(f"{credential.login} follows nobody at Twitch")
    names = tuple(Name(channel.login, external_id=channel.external_id) for channel in followed)
    return ReadList(names, f"the follows of {credential.login}")


def _code(results: Sequence[Outcome | _Group], *, nothing_done: int = FAILED) -> int:
    aside = sum(result.is_set_aside for result in results)
    return 0 if not aside else nothing_done if aside == len(results) else SET_ASIDE


def _print_json(results: Sequence[Outcome | _Group]) -> None:
    for result in results:
        shown = msgspec.structs.asdict(result)
        print_json({key: value for key, value in shown.items() if key not in {"sentence", "is_set_aside"}})


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


def _groups(connection: Connection, lines: Sequence[WatchedChannel]) -> list[str]:
    """Return a sentence for each group that is followed."""
    sentences = []
    if connection.scalar(select(func.count()).where(Follow.kind == "drops")):
        named = [line for line in lines if "drops" in line.why]
        live = sum(line.live is not None for line in named)
        sentences.append(f"Drops: {len(named)} channels that running campaigns name are watched, {live} of them live.")
    categories = followed_categories(connection)
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
