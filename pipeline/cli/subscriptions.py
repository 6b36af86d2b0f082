"""Commands on what each target is told of: `subscriptions`."""

import sys
from collections.abc import Sequence
from datetime import tzinfo
from enum import StrEnum
from typing import Annotated, Any

import msgspec
import typer
from sqlalchemy import func, select, true

from models import Event
from models.errors import UsageError
from models.events import EventKind
from models.words.units import counted_plainly
from notifiers.conditions.checks import library_words
from notifiers.conditions.conditions import LIBRARY_WORDS, Conditions
from notifiers.subscriptions import ON_ANY_PLATFORM, says, target_and_subscription
from notifiers.targets import zone_of
from pipeline.catalogue.people import person_named
from pipeline.cli.commands import COMMANDS, make_noun
from pipeline.cli.opening import GREATEST, open_command
from pipeline.cli.whose import PersonName, refuse_person
from pipeline.operations import subscriptions as operations
from pipeline.operations.subscriptions import RehearsedAnswer
from pipeline.runtime.output import (
    JsonFlag,
    console,
    errors,
    moments_in,
    parse_since,
    print_json,
    print_rows,
    show,
    show_in,
)
from pipeline.runtime.runtime import utc_now

subscriptions = make_noun(COMMANDS["subscriptions"].help)
FAMILIES = ", ".join(sorted({f"{kind.family}.*" for kind in EventKind}))
ON_REQUEST = ", ".join(kind for kind in EventKind if kind.is_on_request)
KINDS_HELP = (
    f"A kind such as stream.online, or a family: {FAMILIES}; `!campaign.changed` for all but it. Several may be given. "
    f"Told only where it is named itself: {ON_REQUEST}; only where its family is: operator.*, of the installation."
)


LIBRARY_HELP = f"Games that are one of these to you: {', '.join(LIBRARY_WORDS)}."


class Reward(StrEnum):
    """What kind of reward a campaign gives."""

    BADGE = "badge"
    EMOTE = "emote"
    ITEM = "item"


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(subscriptions, name="subscriptions")


@subscriptions.callback(invoke_without_command=True)
def list_subscriptions(context: typer.Context, person: PersonName = None, as_json: JsonFlag = False) -> None:
    """Show the subscriptions; with a command, change them."""
    refuse_person(context, person)
    if context.invoked_subcommand is None:
        show_subscriptions(person=person, as_json=as_json)


@subscriptions.command("list")
def show_subscriptions(person: PersonName = None, as_json: JsonFlag = False) -> None:
    """Show the subscriptions: which target is told of what."""
    with open_command().engine.connect() as connection:
        rows = operations.list_subscriptions(connection, person_named(connection, person))
    empty = "No subscriptions yet: `lootwire subscriptions add --to NAME`."
    if not as_json:
        shown = [{"id": row.id, "name": row.name, "target": row.target, "says": says(row.conditions)} for row in rows]
        print_rows(shown, as_json=False, columns=("id", "target", "name", "says"), empty=empty)
        return
    print_rows([msgspec.structs.asdict(row) for row in rows], as_json=True, columns=(), empty=empty)


@subscriptions.command("add")
def add_subscription(
    to: Annotated[str, typer.Option("--to", help="The target's name.")],
    name: Annotated[str | None, typer.Option(help="What it is called; else by what it says.")] = None,
    kind: Annotated[list[str] | None, typer.Option(help=KINDS_HELP)] = None,
    service: Annotated[list[str] | None, typer.Option(help="twitch, kick or chzzk.")] = None,
    game: Annotated[list[str] | None, typer.Option(help="A game, by name.")] = None,
    organization: Annotated[list[str] | None, typer.Option(help="An organization, by name.")] = None,
    channel: Annotated[list[str] | None, typer.Option(help="A Twitch channel, by login or address.")] = None,
    list_: Annotated[list[str] | None, typer.Option("--list", help="Games of a list of yours.")] = None,
    library: Annotated[list[str] | None, typer.Option(metavar="WORD[,WORD]", help=LIBRARY_HELP)] = None,
    except_: Annotated[
        list[str] | None,
        typer.Option("--except", metavar="WORD[,WORD]", help="Not of games that are this to you: finished,abandoned."),
    ] = None,
    my_platforms: Annotated[
        bool,
        typer.Option(
            "--my-platforms",
            help="What is for a platform that you play on, or for none in particular; `lootwire subscriptions "
            "platforms` says which you play on.",
        ),
    ] = False,
    category: Annotated[list[str] | None, typer.Option(help="What a stream is about.")] = None,
    platform: Annotated[list[str] | None, typer.Option(help="A platform of releases: PC, Switch.")] = None,
    require: Annotated[list[str] | None, typer.Option(help="A word that title, game or rewards must have.")] = None,
    block: Annotated[list[str] | None, typer.Option(help="A word that none of them may have.")] = None,
    min_minutes: Annotated[int | None, typer.Option(min=0, help="No campaign that takes fewer.")] = None,
    max_minutes: Annotated[int | None, typer.Option(min=0, help="No campaign that takes more.")] = None,
    no_subscriptions: Annotated[bool, typer.Option("--no-subscriptions", help="Nothing that costs money.")] = False,
    reward: Annotated[list[Reward] | None, typer.Option(help="Campaigns that give one of these.")] = None,
    linked: Annotated[
        bool | None,
        typer.Option(
            "--linked/--not-linked",
            help="Your account is linked with the game, or is not; needs a sign-in.",
        ),
    ] = None,
    followed_games: Annotated[bool, typer.Option("--followed-games", help="Games that you follow.")] = False,
    followed_channels: Annotated[bool, typer.Option("--followed-channels", help="Channels that you follow.")] = False,
    only_live: Annotated[bool, typer.Option("--only-live", help="Of channels while they are live.")] = False,
    language: Annotated[list[str] | None, typer.Option(help="Of a stream: en, de, pt-BR.")] = None,
    no_reruns: Annotated[bool, typer.Option("--no-reruns", help="No reruns, watch parties and the like.")] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse a name that is not known yet: of a game, a channel, a platform.")
    ] = False,
    person: PersonName = None,
) -> None:
    """Tell a target of events from now on; without filters, of everything.

    Of several values of an option one must fit, and all options together. Streams and videos are told of channels that
    you follow, and of no others: `lootwire channels add LOGIN`. Release dates are told of games that are followed, on a
    list, played on a followed channel that is live, or have a campaign; to hear of some of them alone, name them with
    --game: `--kind 'release.*' --game Rust`. A game of your library is meant in all its editions, with its DLC. What
    happens in the library itself is told by `--kind 'library.*' --kind 'play.*' --kind 'list.*'`.
    """
    conditions = Conditions(
        kinds=tuple(kind or ()),
        services=tuple(service or ()),
        games=tuple(game or ()),
        organizations=tuple(organization or ()),
        channels=tuple(channel or ()),
        lists=tuple(list_ or ()),
        categories=tuple(category or ()),
        platforms=tuple(platform or ()),
        require=tuple(require or ()),
        block=tuple(block or ()),
        min_minutes=min_minutes,
        max_minutes=max_minutes,
        no_subscriptions=no_subscriptions,
        rewards=tuple(each.value for each in reward or ()),
        linked=linked,
        followed_games=followed_games,
        followed_channels=followed_channels,
        only_live=only_live,
        languages=tuple(language or ()),
        no_reruns=no_reruns,
        library=library_words(library or ()),
        library_except=library_words(except_ or ()),
        my_platforms=my_platforms,
    )
    with open_command().engine.begin() as connection:
        person_id = person_named(connection, person)
        line = operations.add_subscription(
            connection, person_id, utc_now(), target=to, name=name, conditions=conditions, strict=strict
        )
    for sentence in line.waits_for:
        warning = f"lootwire: {sentence}: the subscription waits for one of that name"
        errors.print(show(warning), markup=False, soft_wrap=True)
    console.print(f"subscription {line.id}: {line.target} is told from now on", markup=False)
    if line.on_any_platform:
        console.print(ON_ANY_PLATFORM, markup=False)
    for login in line.unfollowed:
        console.print(f"{login} is not followed yet: lootwire channels add {login}", markup=False)


@subscriptions.command("remove")
def remove_subscription(
    number: Annotated[int, typer.Argument(min=1, max=GREATEST, help="The subscription's number.")],
    person: PersonName = None,
) -> None:
    """Remove a subscription."""
    with open_command().engine.begin() as connection:
        operations.remove_subscription(connection, person_named(connection, person), number)
    console.print(f"subscription {number} removed")


@subscriptions.command("platforms")
def say_platforms(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="As release dates name them: PC, PlayStation 5.")
    ] = None,
    any_: Annotated[bool, typer.Option("--any", help="You play on all of them, as long as you name none.")] = False,
    person: PersonName = None,
) -> None:
    """Show on which platforms you play, or say it: what `--my-platforms` goes by."""
    if names and any_:
        raise UsageError("Name platforms, or say --any: not both.")
    with open_command().engine.begin() as connection:
        person_id = person_named(connection, person)
        if names or any_:
            answer = operations.say_platforms(connection, person_id, names or ())
        else:
            answer = operations.show_platforms(connection, person_id)
    for sentence in answer.waits_for:
        errors.print(show(f"lootwire: {sentence}: what comes out on it will be yours"), markup=False, soft_wrap=True)
    mine = answer.platforms
    console.print(show(f"you play on {', '.join(mine)}" if mine else "you have named no platform: all count as yours"))


@subscriptions.command("try")
def try_subscriptions(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A target's name, or that of one of its subscriptions.")],
    since: Annotated[str, typer.Option(help="30d, 12h, or a time.")] = "30d",
    person: PersonName = None,
    as_json: JsonFlag = False,
) -> None:
    """Show what a target's subscriptions, or one of them, would have told it of past events, and when; sends nothing.

    By its quiet hours, digest, bursts and mutes as they are now, and by what is claimed, ignored and watched now. Where
    none of that holds or drops anything the table is that of `lootwire events`, newest first; else it goes message by
    message, with times by the target's clock. Where a library was asked for, it says what each game is to you now. As
    JSON each event is a line, the oldest first.
    """
    now = utc_now()
    with open_command().engine.connect() as connection:
        person_id = person_named(connection, person)
        target, subscription = target_and_subscription(connection, name, person_id=person_id)
        zone = zone_of(connection, target, person_id=person_id)
        begin = parse_since(since, now, zone)
        rows = operations.rehearse(connection, person_id, now, target, begin, subscription=subscription)
        happened = select(func.count()).where(Event.occurred_at >= begin if begin else true())
        total = connection.execute(happened).scalar_one()
    if as_json:
        for row in rows:
            print_json(row)
        return
    print_rows(
        _plainly(rows) if all(row.message and not row.held_for for row in rows) else _by_message(rows, zone),
        as_json=False,
        columns=("at", "kind", "title", *(("because",) if any(row.because for row in rows) else ())),
        empty="Nothing would have been sent.",
    )
    messages = len({row.message for row in rows} - {None})
    counts = [f"{len(rows)} of {counted_plainly(total, 'event')}", counted_plainly(messages, "message")]
    counts += [f"{dropped} dropped"] if (dropped := sum(row.dropped is not None for row in rows)) else []
    counts += [f"{held} held still"] if (held := sum(row.until is not None for row in rows)) else []
    silent = sum(row.silent for row in rows)
    counts += [f"{silent} of them history that was told to nobody when it came"] if silent else []
    alone = f"; by {show(subscription)!r} alone, at {target}" if subscription is not None else ""
    console.print(", ".join(counts) + alone, markup=False)


def _plainly(rows: Sequence[RehearsedAnswer]) -> list[dict[str, Any]]:
    return [_shown(row, row.occurred_at) for row in reversed(rows)]


def _by_message(rows: Sequence[RehearsedAnswer], zone: tzinfo) -> list[dict[str, Any]]:
    """Return rows by their messages, the oldest first, then what was dropped and what waits; each with its reason."""
    ordered = sorted(rows, key=lambda row: (row.message or sys.maxsize, row.dropped is None, row.id))
    return [_shown(row, _when(row, zone)) for row in ordered]


def _shown(row: RehearsedAnswer, at: Any) -> dict[str, Any]:
    return {"at": at, "kind": row.kind, "title": row.title, "because": row.because or ""}


def _when(row: RehearsedAnswer, zone: tzinfo) -> str:
    if row.dropped is not None:
        return f"dropped: {moments_in(row.dropped, zone)}"
    if row.until is not None:
        until = show_in(row.until, zone)
        return f"held for {row.held_for} until {until}" if row.held_for else f"due {until}"
    return f"{show_in(row.sent_at, zone)} (message {row.message})"
