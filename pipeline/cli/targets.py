"""Commands on targets: `targets`."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any, Literal

import msgspec
import typer

from models.errors import WrongFields
from notifiers import mutes
from notifiers import targets as store
from notifiers.check import try_target
from notifiers.days import zone
from notifiers.rules.difference import in_words
from notifiers.rules.words import written
from notifiers.timing.settings import Role, TargetSettings
from notifiers.webhook import json_schema
from pipeline.catalogue.people import person_named
from pipeline.cli.commands import COMMANDS, make_noun
from pipeline.cli.opening import open_command
from pipeline.cli.whose import PersonName, refuse_person
from pipeline.games.finding.unknown import unknown_game
from pipeline.operations import targets as operations
from pipeline.operations.target_settings import read_settings
from pipeline.runtime.output import JsonFlag, console, errors, parse_until, print_json, print_rows, show, show_in
from pipeline.runtime.runtime import utc_now

targets = make_noun(COMMANDS["targets"].help)
Name = Annotated[str, typer.Argument(help="The target's name.")]
QUIET_HELP = (
    "Hours without messages: 22:00-07:00, or `23:00-08:00 sat, sun`; may be given several times. none ends them."
)
DIGEST_HELP = "One message for all of an hour, day or week: hourly, `daily at 08:00`, `weekly on fri at 18:00`; none."
URGENT_HELP = (
    "Kinds that neither quiet hours nor a digest hold, such as campaign.last_chance; may be given several times."
)
ROLE_HELP = "operator: it hears how the installation is, without any subscription (docs/operating.md)."
HEARTBEAT_HELP = "When an operator's target is told that all goes on: `daily at 08:00`, `weekly on mon at 08:00`; none."
UNSUBSCRIBE_HELP = "Where its mails are unsubscribed from: mailto:stop@example.org, or an https address; none."
PRIVATE_HELP = "Allow an address in a private network or on this machine, to which else nothing is sent."
_CLEARED: dict[str, Any] = {
    "quiet": (),
    "digest": None,
    "urgent": (),
    "locale": TargetSettings().locale,
    "unsubscribe": "",
}
TIMEZONE_HELP = "Where it is, such as Europe/Berlin: a release is told when its day begins there."


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(targets, name="targets")


@targets.callback(invoke_without_command=True)
def list_targets(context: typer.Context, person: PersonName = None, as_json: JsonFlag = False) -> None:
    """Show the targets; with a command, change them."""
    refuse_person(context, person)
    if context.invoked_subcommand is None:
        show_targets(person=person, as_json=as_json)


@targets.command("list")
def show_targets(person: PersonName = None, as_json: JsonFlag = False) -> None:
    """Show the targets: where each is, how many messages wait for it, whether it is paused, and when it is told."""
    now = utc_now()
    with open_command().engine.connect() as connection:
        listed = operations.list_targets(connection, person_named(connection, person), now)
    rows = [msgspec.structs.asdict(each) for each in listed]
    if not as_json:
        rows = [row | {"paused_since": row["disabled_at"], "when": _when(row)} for row in rows]
    empty = "No targets yet: `lootwire targets add NAME URL`."
    columns = ("name", "label", "timezone", "role", "waiting", "dead", "paused_since", "when")
    print_rows(rows, as_json=as_json, columns=columns, empty=empty)


@targets.command("add")
def add_target(
    name: Name,
    url: Annotated[
        str, typer.Argument(help="An Apprise URL; `-` reads it from standard input, out of the shell's history.")
    ],
    timezone: Annotated[str, typer.Option(help=TIMEZONE_HELP)] = "UTC",
    role: Annotated[Role | None, typer.Option(help=ROLE_HELP)] = None,
    heartbeat: Annotated[str | None, typer.Option(help=HEARTBEAT_HELP)] = None,
    private: Annotated[bool, typer.Option("--private", help=PRIVATE_HELP)] = False,
    person: PersonName = None,
) -> None:
    """Add a target by its Apprise URL, which is kept encrypted and never shown."""
    settings = _read_heartbeat(heartbeat)
    if settings and role is None:
        raise typer.BadParameter("--heartbeat needs --role operator")
    runtime = open_command()
    url = _read_url(url)
    if private:
        settings["private"] = True
    with runtime.engine.begin() as connection:
        line = operations.add_target(
            connection,
            person_named(connection, person),
            utc_now(),
            runtime.vault,
            name=name,
            url=url,
            timezone=timezone,
            role=role,
            settings=settings,
        )
    if line.is_refused:
        _warn_of_private(line.name, person)
    whose = _whose(person)
    console.print(f"{line.name} ({line.label}) added. Try it: lootwire targets test {line.name!r}{whose}", markup=False)
    if role is not None:
        console.print(f"{line.name} hears how the installation is, without any subscription", markup=False)
    console.print(f"Then say what it is told of: lootwire subscriptions add --to {line.name!r}{whose}", markup=False)


@targets.command("set")
def set_target(
    name: Name,
    new_name: Annotated[str | None, typer.Option("--name", help="What it is called from now on.")] = None,
    url: Annotated[
        str | None, typer.Option("--url", help="Its Apprise URL from now on; `-` reads it from standard input.")
    ] = None,
    timezone: Annotated[str | None, typer.Option(help=TIMEZONE_HELP)] = None,
    quiet: Annotated[list[str] | None, typer.Option(help=QUIET_HELP)] = None,
    digest: Annotated[str | None, typer.Option(help=DIGEST_HELP)] = None,
    urgent: Annotated[list[str] | None, typer.Option(help=URGENT_HELP)] = None,
    burst: Annotated[str | None, typer.Option(help="Gather what comes within 30s, 5min, of each other; 0s.")] = None,
    locale: Annotated[str | None, typer.Option(help="The language of its dates: en, de, pt_BR.")] = None,
    role: Annotated[Literal["operator", "none"] | None, typer.Option(help=f"{ROLE_HELP} none ends it.")] = None,
    heartbeat: Annotated[str | None, typer.Option(help=HEARTBEAT_HELP)] = None,
    unsubscribe: Annotated[str | None, typer.Option(help=UNSUBSCRIBE_HELP)] = None,
    private: Annotated[bool | None, typer.Option("--private/--no-private", help=PRIVATE_HELP)] = None,
    person: PersonName = None,
) -> None:
    """Change a target: its name, address, time zone, quiet hours, digest; its subscriptions and what waits stay."""
    changes: dict[str, object] = {
        "quiet": quiet,
        "digest": digest,
        "urgent": urgent,
        "burst": burst,
        "locale": locale,
        "unsubscribe": unsubscribe,
        "private": private,
    }
    given = {name: value for name, value in changes.items() if value is not None}
    if all(value is None for value in (new_name, url, timezone, role, heartbeat)) and not given:
        raise typer.BadParameter("give what is to change, such as --name, --url, --timezone or --quiet")
    wanted = _read_settings(given) | _read_heartbeat("none" if role == "none" else heartbeat)
    runtime = open_command()
    address = operations.read_address(runtime.vault, _read_url(url)) if url is not None else None
    with runtime.engine.begin() as connection, _naming_heartbeat():
        line = operations.change_target(
            connection,
            person_named(connection, person),
            utc_now(),
            name,
            new_name=new_name,
            address=address,
            timezone=timezone,
            role=role,
            settings=wanted,
        )
    if new_name is not None:
        console.print(f"{name} is called {line.name} from now on", markup=False)
    if url is not None:
        hint = f"lootwire targets test {line.name!r}{_whose(person)}"
        message = f"{line.name} is at another address now ({line.label}). Try it: {hint}"
        console.print(message, markup=False, soft_wrap=True)
    if line.is_refused:
        _warn_of_private(line.name, person)
    if timezone is not None:
        console.print(f"{line.name} is told of releases when their day begins in {line.timezone}", markup=False)
    if role is not None:
        hears = "hears how the installation is" if line.role else "hears no more of the installation"
        console.print(f"{line.name} {hears} from now on", markup=False)
    if wanted:
        console.print(f"{line.name}: {_settings(line.settings)} (in {line.timezone})", markup=False, soft_wrap=True)


def _warn_of_private(name: str, person: str | None) -> None:
    warning = (
        f"The address of {name} is in a private network, and nothing is sent there until you allow it: "
        f"lootwire targets set {name!r} --private{_whose(person)}"
    )
    console.print(warning, style="yellow", markup=False, soft_wrap=True)


def _whose(person: str | None) -> str:
    """Return what a command that is shown needs to be about the same person."""
    return "" if person is None else f" --person {show(person)!r}"


def _settings(settings: TargetSettings) -> str:
    """Return what is not as for every target, in the words of a rules file: `quiet 22:00-07:00; locale de`."""
    return "; ".join(f"{key} {in_words(value)}" for key, value in written(settings).items()) or "as for every target"


def _when(row: Mapping[str, Any]) -> str:
    """Return what of a target says when it is told, where that is not as for every target."""
    shown = written(row["settings"])
    keys = ("quiet", "digest", "urgent", "burst", "burst_longest", "heartbeat")
    parts = [f"{key.replace('_', ' ')} {in_words(shown[key])}" for key in keys if key in shown]
    for mute in row["mutes"]:
        about = f" of {mute.game}" if mute.game else ""
        parts.append(f"muted{about} until {show_in(mute.until, zone(row['timezone']))}")
    return "; ".join(parts)


def _read_settings(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a command sets of a target, as its settings have it; raises BadParameter where a word is none."""
    none = [name for name, value in given.items() if name in _CLEARED and value in ("none", ["none"])]
    cleared = {name: _CLEARED[name] for name in none}
    block = {name: value for name, value in given.items() if name not in cleared}
    return _checked(block) | cleared


def _read_heartbeat(heartbeat: str | None) -> dict[str, Any]:
    """Return the setting that a command gives of a heartbeat; raises BadParameter where it is no time for one."""
    if heartbeat is None:
        return {}
    return _checked({"heartbeat": None if heartbeat == "none" else heartbeat})


@contextmanager
def _naming_heartbeat() -> Iterator[None]:
    try:
        yield
    except WrongFields as error:
        if "/settings/heartbeat" not in error.fields:
            raise
        raise typer.BadParameter(
            "--heartbeat needs --role operator: others hear nothing of the installation"
        ) from error


def _checked(given: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return read_settings(given)
    except WrongFields as error:
        pointer, reason = next(iter(error.fields.items()))
        raise typer.BadParameter(f"--{pointer.split('/')[1]}: {reason}") from None


@targets.command("mute")
def mute_target(
    name: Name,
    until: Annotated[
        str, typer.Argument(metavar="FOR", help="3h, 2d, or a time by the target's clock: 22:00, 2026-12-24.")
    ],
    game: Annotated[str | None, typer.Option(help="Of this game only.")] = None,
    person: PersonName = None,
) -> None:
    """Tell a target nothing for a while; of what happens meanwhile it is never told, whatever is urgent.

    What waited before, for a digest or another attempt, comes at the end.
    """
    now = utc_now()
    with open_command().engine.begin() as connection:
        person_id = person_named(connection, person)
        zone = store.zone_of(connection, name, person_id=person_id)
        at = parse_until(until, now, zone)
        unknown = unknown_game(connection, game) if game else None
        operations.mute_target(connection, person_id, now, name, until=at, game=game)
    if unknown:
        errors.print(
            f"lootwire: {show(unknown.sentence)}: the mute waits for one of that name", markup=False, soft_wrap=True
        )
    about = f" of {game}" if game else ""
    console.print(f"{name} is told nothing{show(about)} until {show_in(at, zone)}", markup=False)


@targets.command("unmute")
def unmute_target(
    name: Name,
    game: Annotated[str | None, typer.Option(help="The mute of this game.")] = None,
    person: PersonName = None,
) -> None:
    """Tell a muted target again, from now on."""
    with open_command().engine.begin() as connection:
        was_muted = mutes.unmute(connection, name, utc_now(), game=game, person_id=person_named(connection, person))
    console.print(f"{name} {'is told again from now on' if was_muted else 'is not muted'}", markup=False)


@targets.command("pause")
def pause_target(name: Name, person: PersonName = None) -> None:
    """Send a target nothing until it is resumed; of what happens meanwhile it is never told."""
    with open_command().engine.begin() as connection:
        is_new = store.pause_target(connection, name, utc_now(), person_id=person_named(connection, person))
    state = "is paused from now on" if is_new else "is paused already"
    hint = f"lootwire targets resume {name!r}{_whose(person)}"
    console.print(f"{name} {state}: {hint} ends that", markup=False, soft_wrap=True)


@targets.command("resume")
def resume_target(name: Name, person: PersonName = None) -> None:
    """Send to a paused target again: what waited when it was paused, and what happens from now on."""
    with open_command().engine.begin() as connection:
        was_paused = store.resume_target(connection, name, person_id=person_named(connection, person))
    console.print(f"{name} {'is told again from now on' if was_paused else 'is not paused'}", markup=False)


@targets.command("test")
def send_a_test(name: Name, person: PersonName = None) -> None:
    """Send a test message to a target, now."""
    runtime = open_command()
    with runtime.engine.connect() as connection:
        person_id = person_named(connection, person)
    # As patiently as messages are sent, which a request cannot be.
    try_target(runtime.engine, runtime.vault, name, person_id=person_id)
    console.print(f"sent to {name}", markup=False)


@targets.command("remove")
def remove_target(
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask on a terminal.")] = False,
    person: PersonName = None,
) -> None:
    """Remove a target with its subscriptions; what waits for it is not sent, what was sent stays on record.

    On a terminal it says first what goes, and asks.
    """
    runtime = open_command()
    with runtime.engine.connect() as connection:
        person_id = person_named(connection, person)
    if not yes and sys.stdin.isatty():
        with runtime.engine.connect() as connection:
            removal = store.look_at_removal(connection, name, person_id=person_id)
        typer.confirm(f"{_in_words(removal)} Remove {name}?", abort=True, err=True)
    with runtime.engine.begin() as connection:
        removal = operations.remove_target(connection, person_id, utc_now(), name)
    console.print(f"{name} removed. {_in_words(removal)}", markup=False, soft_wrap=True)


@targets.command("schema")
def print_schema() -> None:
    """Print the JSON Schema of what json:// web hooks are sent, with the events themselves."""
    print_json(json_schema())


def _in_words(removal: store.Removal) -> str:
    return (
        f"{_count(removal.subscriptions, 'subscription')} and the address go with it, "
        f"{_count(removal.waiting, 'waiting message')} will not be sent, {removal.sent} sent stay on record."
    )


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _read_url(url: str) -> str:
    return sys.stdin.readline().strip() if url == "-" else url
