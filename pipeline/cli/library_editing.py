"""Commands that write a library by hand: `library add`, `set`, `hide`, `unhide`, `forget` and `platforms`."""

from datetime import date
from typing import Annotated, Any, get_args

import typer

from models.errors import UsageError
from models.periods import read_period
from models.words.units import counted
from pipeline.catalogue.people import person_named
from pipeline.cli.commands import make_noun
from pipeline.cli.library import library
from pipeline.cli.meaning import AnyTitle, Own, PersonName, Title, person_of, refuse_person
from pipeline.cli.opening import open_command
from pipeline.library.journal.reading import check_word, read_rating, read_when
from pipeline.library.journal.states import EMPTY, STATUSES, StateChange, Wish
from pipeline.library.records import Ownership, Store
from pipeline.operations import library as operations
from pipeline.operations.meaning import today_of
from pipeline.runtime.output import JsonFlag, console, print_rows, show
from pipeline.runtime.runtime import utc_now

STORES: tuple[str, ...] = get_args(Store)
OWNERSHIPS: tuple[str, ...] = get_args(Ownership)
_FIELDS = {"favourite": "is_favourite", "cover": "cover_url"}
_CALLED = {column: name for name, column in _FIELDS.items()}
platforms = make_noun("Show the platforms that you play on; with a command, say which.")


def add_to(app: typer.Typer) -> None:  # noqa: ARG001 - the commands belong to those on the library
    """Add the commands of this module."""
    library.command("add")(add)
    library.command("set")(set_values)
    library.command("hide")(hide)
    library.command("unhide")(unhide)
    library.command("forget")(forget)
    library.add_typer(platforms, name="platforms")


def add(
    title: AnyTitle,
    store: Annotated[str, typer.Option(help=f"Where you have it: {', '.join(STORES)}.")] = "other",
    platform: Annotated[str, typer.Option(help="What it runs on.")] = "",
    wished: Annotated[bool, typer.Option("--wished", help="You wish for it.")] = False,
    ownership: Annotated[str | None, typer.Option(help=f"How you have it: {', '.join(OWNERSHIPS)}.")] = None,
    acquired: Annotated[str | None, typer.Option(metavar="DAY", help="Since when you have it.")] = None,
    own: Own = False,
    person: PersonName = None,
) -> None:
    """Add a game to the library by hand, or bring back one that you had it forget."""
    if wished and ownership not in {None, "wished"}:
        raise UsageError("give one of --wished and --ownership")
    owned = "wished" if wished else check_word(ownership or "owned", OWNERSHIPS, "ownership")
    place = check_word(store, STORES, "store")
    wish = operations.NewWork(
        store=place,  # type: ignore[arg-type] # the words are those of the types
        platform=platform,
        ownership=owned,  # type: ignore[arg-type]
        acquired_on=None if acquired is None else _day(acquired),
    )
    runtime = open_command()
    game = operations.add_work(runtime, person_of(runtime, person), utc_now(), title, wish, own=own)
    how = {"added": "added", "same": "is there already", "changed": "changed", "restored": "brought back"}[game.outcome]
    number = "" if game.igdb_id is None else f" (IGDB {game.igdb_id})"
    console.print(f"{show(game.name)}{number}: {how}, {owned}", markup=False, soft_wrap=True)


def set_values(
    title: AnyTitle,
    status: Annotated[str | None, typer.Option(help=f"{', '.join(STATUSES)}.")] = None,
    rating: Annotated[str | None, typer.Option(help="4/5, 8.5/10 or 85.")] = None,
    rating_scale: Annotated[
        int | None, typer.Option(min=2, max=100, help="The best rating that there is, where --rating does not say.")
    ] = None,
    favourite: Annotated[bool | None, typer.Option("--favourite/--no-favourite", help="Whether it is one.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="A tag more; may be given again.")] = None,
    untag: Annotated[list[str] | None, typer.Option(help="A tag less.")] = None,
    note: Annotated[str | None, typer.Option(help="Notes, in place of those before.")] = None,
    name: Annotated[str | None, typer.Option(help="What you call it.")] = None,
    year: Annotated[int | None, typer.Option(help="The year that it is from.")] = None,
    genre: Annotated[list[str] | None, typer.Option(help="A genre; together they stand in for IGDB's.")] = None,
    cover: Annotated[str | None, typer.Option(metavar="URL", help="The address of a picture.")] = None,
    series: Annotated[str | None, typer.Option(help="The series that it is of.")] = None,
    clear: Annotated[
        list[str] | None,
        typer.Option(metavar="FIELD", help="Take a value away, so that imports and syncs may say it again."),
    ] = None,
    own: Own = False,
    person: PersonName = None,
) -> None:
    """Say of a game what no import and no sync overwrites: status, rating, tags, notes, and what it is called."""
    values: dict[str, Any] = {
        "status": None if status is None else check_word(status, STATUSES, "status"),
        "is_favourite": favourite,
        "notes": note,
        "name": name,
        "year": year,
        "genres": genre or None,
        "cover_url": cover,
        "series": series,
    }
    if rating is not None:
        read = read_rating(rating, rating_scale)
        values |= {"rating": read.value, "rating_scale": read.scale}
    elif rating_scale is not None:
        raise UsageError("--rating-scale says nothing without --rating")
    wish = Wish(
        values={field: value for field, value in values.items() if value is not None},
        cleared=tuple(_FIELDS.get(field, field) for field in clear or ()),
        tags_added=tuple(tag or ()),
        tags_removed=tuple(untag or ()),
    )
    if wish == Wish():
        raise UsageError(
            "say what to set: --status, --rating, --tag, --note; `lootwire library set --help` has them all"
        )
    runtime = open_command()
    game = operations.set_work(runtime, person_of(runtime, person), utc_now(), title, wish, own=own)
    changed = "; ".join(map(_change, game.changes)) or "it was so already"
    console.print(f"{show(game.name)}: {changed}", markup=False, soft_wrap=True)


def hide(title: Title, person: PersonName = None) -> None:
    """Hide a game: a tool, a server, one that you tried once; no import and no sync shows it again."""
    with open_command().engine.begin() as connection:
        owner = person_named(connection, person)
        work = operations.hide(connection, owner, utc_now(), title)
    how = "hidden; `lootwire library list --hidden` shows it" if work.entries else "is hidden already"
    console.print(f"{show(work.name)}: {how}", markup=False, soft_wrap=True)


def unhide(title: Title, person: PersonName = None) -> None:
    """Show a hidden game again."""
    with open_command().engine.begin() as connection:
        owner = person_named(connection, person)
        work = operations.hide(connection, owner, utc_now(), title, hidden=False)
    console.print(
        f"{show(work.name)}: {'shown again' if work.entries else 'was not hidden'}", markup=False, soft_wrap=True
    )


def forget(title: Title, person: PersonName = None) -> None:
    """Take a game out of the library and the journal; no import and no sync brings it back, `library add` does."""
    with open_command().engine.begin() as connection:
        owner = person_named(connection, person)
        work = operations.forget(connection, owner, utc_now(), title)
    what = [counted(work.playthroughs, "playthrough")] if work.playthroughs else []
    if work.entries:
        what.insert(0, "1 entry" if work.entries == 1 else f"{work.entries} entries")
    gone = f" ({', '.join(what)})" if what else ""
    way = repr(show(work.name)) if work.igdb_id is None else f"igdb:{work.igdb_id}"
    back = f"`lootwire library add {way}` brings it back"
    console.print(f"{show(work.name)}: forgotten{gone}; {back}", markup=False, soft_wrap=True)


@platforms.callback(invoke_without_command=True)
def list_platforms(context: typer.Context, person: PersonName = None, as_json: JsonFlag = False) -> None:
    """Show the platforms that you play on; with a command, say which."""
    refuse_person(context, person)
    if context.invoked_subcommand is None:
        show_platforms(person=person, as_json=as_json)


@platforms.command("list")
def show_platforms(person: PersonName = None, as_json: JsonFlag = False) -> None:
    """Show the platforms that you play on: `subscriptions add --my-platforms` tells of these alone."""
    with open_command().engine.connect() as connection:
        names = operations.list_platforms(connection, person_named(connection, person)).platforms
    empty = "None are set: `lootwire library platforms set PC 'PlayStation 5'`."
    print_rows([{"platform": name} for name in names], as_json=as_json, columns=("platform",), empty=empty, needed=1)


@platforms.command("set")
def set_mine(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="PC, 'PlayStation 5', Switch.")],
    person: PersonName = None,
) -> None:
    """Say which platforms you play on, in place of those before."""
    with open_command().engine.begin() as connection:
        written = operations.change_platforms(connection, person_named(connection, person), names).platforms
    console.print(f"You play on {', '.join(written)}", markup=False, soft_wrap=True)


@platforms.command("clear")
def clear_platforms(person: PersonName = None) -> None:
    """Play on no platform in particular."""
    with open_command().engine.begin() as connection:
        operations.change_platforms(connection, person_named(connection, person), [])
    console.print("No platforms are set any more", markup=False)


def _change(change: StateChange) -> str:
    name, new = _CALLED.get(change.field, change.field), _value(change.new)
    return f"{name} {new}" if change.old == EMPTY[change.field] else f"{name} {_value(change.old)} → {new}"


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g} of 100"
    return "nothing" if value in (None, [], "") else show(value)


def _day(text: str) -> date:
    period = read_period(read_when(text, today_of(utc_now())))
    if period is None or period.day is None or period.first is None:
        raise UsageError(f"{text!r} is no day: write 2020-11-21, today or yesterday")
    return period.first
