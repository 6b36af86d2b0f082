"""Commands that answer for one target: `inbox` and `why-not`."""

from typing import Annotated

import msgspec
import typer

from models.printable import NAME_LENGTH, on_a_line
from notifiers.days import zone as zone_named
from notifiers.rules.difference import in_words
from notifiers.targets import zone_of
from pipeline.catalogue.people import person_named
from pipeline.cli.opening import GREATEST, open_command
from pipeline.cli.whose import PersonName
from pipeline.operations.deliveries import VerdictAnswer, load_inbox, why_not
from pipeline.operations.targets import show_target
from pipeline.runtime.output import JsonFlag, console, moments_in, print_json, print_rows, show, show_in
from pipeline.runtime.runtime import utc_now


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("inbox")(inbox)
    app.command("why-not")(explain)


def inbox(
    target: Annotated[str, typer.Argument(metavar="TARGET", help="The target's name.")],
    as_json: JsonFlag = False,
    person: PersonName = None,
) -> None:
    """Show what waits for a target, for what and until when, and what was dropped lately.

    Times are those of the target's clock; as JSON they are UTC, and `targets list --json` says what is muted or paused.
    """
    now = utc_now()
    with open_command().engine.connect() as connection:
        person_id = person_named(connection, person)
        rows = [msgspec.structs.asdict(line) for line in load_inbox(connection, person_id, now, target)]
        shown = show_target(connection, person_id, now, target)
    zone = zone_named(shown.timezone)
    if not as_json:
        rows = [row | {"at": show_in(row["at"], zone), "reason": moments_in(row["reason"] or "", zone)} for row in rows]
    columns = ("at", "held_for", "kind", "title", "state", "reason")
    print_rows(rows, as_json=as_json, columns=columns, empty="Nothing waits.")
    if not as_json:
        if shown.disabled_at is not None:
            console.print("paused: nothing until `lootwire targets resume`", markup=False)
        for line in shown.mutes:
            about = f"of {line.game}" if line.game else "at all"
            console.print(f"muted: nothing {show(about)} until {show_in(line.until, zone)}", markup=False)


def explain(
    target: Annotated[str, typer.Option("--target", "-t", help="The target's name.")],
    event: Annotated[int, typer.Option("--event", "-e", min=1, max=GREATEST, help="The event's number.")],
    as_json: JsonFlag = False,
    person: PersonName = None,
) -> None:
    """Say why a target was not told of an event: what each of its subscriptions misses, or until when it is held."""
    with open_command().engine.connect() as connection:
        person_id = person_named(connection, person)
        answer = why_not(connection, person_id, utc_now(), target, event)
        zone = zone_of(connection, target, person_id=person_id)
    if as_json:
        print_json(answer)
        return
    # What is held ends then; what was refused is tried then at the earliest.
    word = "until" if answer.state == "held" else "not before"
    until = f", {word} {show_in(answer.until, zone)}" if answer.until else ""
    lines = [on_a_line(answer.title, NAME_LENGTH), f"{show(moments_in(answer.reason, zone))}{until}"]
    lines += [f"subscription {show(verdict.subscription)}: {show(_in_words(verdict))}" for verdict in answer.verdicts]
    console.print("\n".join(lines), markup=False, soft_wrap=True)


def _in_words(verdict: VerdictAnswer) -> str:
    if verdict.failed is None:
        return f"wants it: {verdict.reason}" if verdict.reason else "wants it"
    if verdict.reason:
        return verdict.reason
    return f"{verdict.failed.replace('_', ' ')} does not fit (wants {in_words(verdict.wanted)})"
