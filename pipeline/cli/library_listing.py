"""Commands that read a library: `library list`, `show`, `why`, `stats`, `check` and `export`."""

import sys
from typing import Annotated, get_args

import msgspec
import typer

from models.printable import printable
from models.words.units import counted, counted_plainly
from pipeline.catalogue.people import person_named
from pipeline.cli.library import library
from pipeline.cli.library_pages import NOTHING, print_statistics, print_work, work_row
from pipeline.cli.meaning import PersonName, Title, refuse_person
from pipeline.cli.opening import GREATEST, open_command
from pipeline.library.journal.reading import check_word
from pipeline.library.journal.states import STATUSES
from pipeline.library.listing.checks import KINDS
from pipeline.library.listing.exporting import as_lines, load_exported
from pipeline.library.listing.tables import TEXTS
from pipeline.library.listing.works import Filter, Order, load_works
from pipeline.library.records import Store
from pipeline.library.standing import WORDS
from pipeline.library.store.imports import count_all_waiting
from pipeline.operations import accounts
from pipeline.operations import library as operations
from pipeline.runtime.output import JsonFlag, console, print_json, print_rows, show

STORES: tuple[str, ...] = get_args(Store)
ORDERS: tuple[str, ...] = get_args(Order)
# What `--status` takes: what is said of a work, and what it is to a person besides.
_STATUSES = tuple(dict.fromkeys((*STATUSES, *WORDS)))
_REMARKS_SHOWN = 10
_FORMATS = ("csv", "jsonl", "yamtrack", "grouvee")


def add_to(app: typer.Typer) -> None:  # noqa: ARG001 - the commands belong to those on the library
    """Add the commands of this module."""
    library.callback(invoke_without_command=True)(list_by_default)
    library.command("list")(list_works)
    library.command("show")(show_work)
    library.command("why")(show_origins)
    library.command("stats")(show_statistics)
    library.command("check")(check)
    library.command("export")(export)
    library.command("accounts")(list_accounts)


def list_by_default(context: typer.Context, person: PersonName = None, as_json: JsonFlag = False) -> None:
    """Show the games that you have, play and wish for; with a command, import or change them."""
    refuse_person(context, person)
    if context.invoked_subcommand is None:
        list_works(person=person, as_json=as_json)


def list_works(
    status: Annotated[
        list[str] | None,
        typer.Option(help=f"What it is to you: {', '.join(_STATUSES)}; may be given again."),
    ] = None,
    platform: Annotated[list[str] | None, typer.Option(help="A platform that you have it on.")] = None,
    store: Annotated[list[str] | None, typer.Option(help=f"Where you have it: {', '.join(STORES)}.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="A tag of yours.")] = None,
    series: Annotated[str | None, typer.Option(help="A series.")] = None,
    never_played: Annotated[bool, typer.Option("--never-played", help="Owned, and never played.")] = False,
    favourites: Annotated[bool, typer.Option("--favourites", help="Your favourites.")] = False,
    hidden: Annotated[
        bool, typer.Option("--hidden", help="What you have hidden, which is shown nowhere else.")
    ] = False,
    sort: Annotated[str, typer.Option(help=f"In which order: {', '.join(ORDERS)}.")] = "name",
    limit: Annotated[int | None, typer.Option(min=1, max=GREATEST, help="How many at most.")] = None,
    person: PersonName = None,
    as_json: JsonFlag = False,
) -> None:
    """Show the games of the library: what each is to you, how long you played it, where you have it.

    Conditions narrow the list down; of one that is given again any value fits.
    """
    wish = Filter(
        statuses=tuple(check_word(word, _STATUSES, "status") for word in status or ()),
        platforms=tuple(platform or ()),
        stores=tuple(check_word(word, STORES, "store") for word in store or ()),
        tags=tuple(tag or ()),
        series=series,
        never_played=never_played,
        favourites=favourites,
        hidden=hidden,
    )
    order: Order = check_word(sort, ORDERS, "order")  # type: ignore[assignment] # the words are those of the type
    with open_command().engine.connect() as connection:
        owner = person_named(connection, person)
        chosen = operations.list_works(connection, owner, wish, order, limit=limit)
        is_empty = not chosen and not load_works(connection, owner)
        waiting = count_all_waiting(connection, owner)
    rows = [msgspec.structs.asdict(work) | ({} if as_json else work_row(work)) for _, work in chosen]
    columns = ("name", "status", "hours", "rating", "last_played", "platforms", "stores")
    empty = "No game of the library fits these conditions."
    if is_empty:
        empty = "No game of the library is known yet." if waiting else NOTHING
    print_rows(rows, as_json=as_json, columns=columns, empty=empty)
    if waiting and not as_json:
        console.print(
            f"not known yet: {counted_plainly(waiting, 'line')} of files or accounts; "
            "lootwire library review shows them",
            markup=False,
            soft_wrap=True,
        )


def show_work(title: Title, person: PersonName = None, as_json: JsonFlag = False) -> None:
    """Tell all that is known of a game of yours: where you have it, how often you played it, what you said of it."""
    with open_command().engine.connect() as connection:
        page = operations.show_work(connection, person_named(connection, person), title)
    if as_json:
        print_json(page)
    else:
        print_work(page)


def show_origins(title: Title, person: PersonName = None, as_json: JsonFlag = False) -> None:
    """Say of every value who said it: you, a line of a file, a shop's account, or what it follows from."""
    with open_command().engine.connect() as connection:
        shown = operations.show_origins(connection, person_named(connection, person), title)
    if not as_json:
        console.print(f"{show(shown.name)} is work {shown.work_id}\n", markup=False, style="bold")
    rows = [msgspec.structs.asdict(origin) for origin in shown.origins]
    print_rows(rows, as_json=as_json, columns=("what", "value", "by", "at"), empty="Nothing is said of it.", needed=3)


def show_statistics(
    year: Annotated[int | None, typer.Option(min=1950, max=2100, help="Of this year alone.")] = None,
    person: PersonName = None,
    as_json: JsonFlag = False,
) -> None:
    """Add the library up: games, hours and finishes by time, platform, store, genre and series; what is best.

    Of a year, the games that you played or finished in it. Hours of a time are those that shops saw your playtime grow
    by, or those of the playthroughs that ended in it, whichever are more.
    """
    with open_command().engine.connect() as connection:
        statistics = operations.add_up(connection, person_named(connection, person), year)
    if as_json:
        print_json(statistics)
    else:
        print_statistics(statistics)


def check(
    all_of_it: Annotated[bool, typer.Option("--all", help=f"Show more than {_REMARKS_SHOWN} of a kind.")] = False,
    person: PersonName = None,
    as_json: JsonFlag = False,
) -> None:
    """Show what stands out: owned twice, wished but owned, never started, finished without a playthrough."""
    with open_command().engine.connect() as connection:
        remarks = operations.check(connection, person_named(connection, person))
    if as_json:
        for remark in remarks:
            print_json(remark)
        return
    for kind in KINDS:
        of_kind = [remark for remark in remarks if remark.kind == kind]
        if of_kind:
            console.print(f"{kind.capitalize()}: {counted(len(of_kind), 'game')}", markup=False, style="bold")
            shown = of_kind if all_of_it else of_kind[:_REMARKS_SHOWN]
            rows = [{"name": remark.name, "where": remark.where} for remark in shown]
            print_rows(rows, as_json=False, columns=("name", "where"), empty="")
            if len(shown) < len(of_kind):
                console.print(f"… and {len(of_kind) - len(shown)} more: --all", markup=False)
            console.print("")
    if not remarks:
        console.print("Nothing stands out.", markup=False)


def list_accounts(person: PersonName = None, as_json: JsonFlag = False) -> None:
    """Show the accounts whose libraries are synced: when each was asked, when it is next, and what is wrong with it."""
    with open_command().engine.connect() as connection:
        listed = accounts.list_accounts(connection, person_named(connection, person))
    rows = [msgspec.structs.asdict(account) for account in listed]
    columns = ("service", "account", "asked_at", "answered_at", "next_due_at", "problem")
    empty = "No account is synced: `lootwire sources login steam`, or `retroachievements`."
    print_rows(rows, as_json=as_json, columns=columns, empty=empty, needed=2)


def export(
    form: Annotated[
        str, typer.Option("--format", help=f"{', '.join(_FORMATS)}; `library import` reads jsonl back.")
    ] = "jsonl",
    person: PersonName = None,
) -> None:
    """Write the library to standard output: as a table, as lines of JSON, or as other trackers read it."""
    word = check_word(form, _FORMATS, "format")
    with open_command().engine.connect() as connection:
        exported, lists = load_exported(connection, person_named(connection, person))
    if word == "jsonl":
        parts = [line.decode() for line in as_lines(exported, lists)]
    else:
        parts = list(TEXTS[word](each for each in exported if not each.work.is_hidden))
    for part in parts:
        sys.stdout.write(printable(part) if sys.stdout.isatty() else part)
