"""Commands that answer for one target: `inbox` and `why-not`."""

from dataclasses import asdict
from typing import Annotated

import typer

from models.printable import NAME_LENGTH, on_a_line
from notifiers.inbox import load_inbox
from notifiers.mutes import list_mutes
from notifiers.reasons import Verdict, why_not
from notifiers.rules.difference import in_words
from notifiers.targets import is_paused, zone_of
from pipeline.cli.opening import GREATEST, open_command
from pipeline.runtime.output import JsonFlag, console, moments_in, print_json, print_rows, show, show_in
from pipeline.runtime.runtime import utc_now


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("inbox")(inbox)
    app.command("why-not")(explain)


def inbox(
    target: Annotated[str, typer.Argument(metavar="TARGET", help="The target's name.")], as_json: JsonFlag = False
) -> None:
    """Show what waits for a target, for what and until when, and what was dropped lately.

    Times are those of the target's clock; as JSON they are UTC, and `targets list --json` says what is muted or paused.
    """
    now = utc_now()
    with open_command().engine.connect() as connection:
        rows = [asdict(line) for line in load_inbox(connection, target, now)]
        mutes = [line for line in list_mutes(connection, now) if line.target == target]
        zone, paused = zone_of(connection, target), is_paused(connection, target)
    if not as_json:
        rows = [row | {"at": show_in(row["at"], zone), "reason": moments_in(row["reason"] or "", zone)} for row in rows]
    columns = ("at", "held_for", "kind", "title", "state", "reason")
    print_rows(rows, as_json=as_json, columns=columns, empty="Nothing waits.")
    if not as_json:
        if paused:
            console.print("paused: nothing until `lootwire targets resume`", markup=False)
        for line in mutes:
            about = f"of {line.game}" if line.game else "at all"
            console.print(f"muted: nothing {show(about)} until {show_in(line.until, zone)}", markup=False)


def explain(
    target: Annotated[str, typer.Option("--target", "-t", help="The target's name.")],
    event: Annotated[int, typer.Option("--event", "-e", min=1, max=GREATEST, help="The event's number.")],
    as_json: JsonFlag = False,
) -> None:
    """Say why a target was not told of an event: what each of its subscriptions misses, or until when it is held."""
    with open_command().engine.connect() as connection:
        answer = why_not(connection, target, event, utc_now())
        zone = zone_of(connection, target)
    if as_json:
        print_json(asdict(answer))
        return
    # What is held ends then; what was refused is tried then at the earliest.
    word = "until" if answer.state == "held" else "not before"
    until = f", {word} {show_in(answer.until, zone)}" if answer.until else ""
    lines = [on_a_line(answer.title, NAME_LENGTH), f"{show(moments_in(answer.reason, zone))}{until}"]
    lines += [f"subscription {show(verdict.subscription)}: {show(_in_words(verdict))}" for verdict in answer.verdicts]
    console.print("\n".join(lines), markup=False, soft_wrap=True)


def _in_words(verdict: Verdict) -> str:
    if verdict.failed is None:
        return f"wants it: {verdict.reason}" if verdict.reason else "wants it"
    if verdict.reason:
        return verdict.reason
    return f"{verdict.failed.replace('_', ' ')} does not fit (wants {in_words(verdict.wanted)})"
