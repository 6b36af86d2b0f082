"""Every command has a route and every route a command, or a reason why not."""

import pkgutil
from collections.abc import Iterator
from importlib import import_module
from typing import Any

from pipeline.cli.commands import COMMANDS, load_command
from pipeline.web.api.routes.all_routes import OPERATIONS
from tests.pipeline.web.api import parity

SUBJECTS = {
    name: import_module(f"{parity.__name__}.{name}")
    for _, name, _ in pkgutil.iter_modules(parity.__path__)
    if not name.startswith("test_")
}
# Not looked at until there is a module of that name; a line goes when its room is merged.
PENDING = {
    *("apply", "demo", "deliveries", "doctor", "drops", "events", "export", "extractions", "feeds", "games", "help"),
    *("igdb", "import", "inbox", "journal", "library", "once", "playlists", "publish", "quarantine", "roms", "rules"),
    *("channels", "shows", "sounds", "sources", "status", "subscriptions", "targets", "templates", "up", "why"),
    *("why-not", "api"),
} - SUBJECTS.keys()


def leaves_of(name: str, command: Any) -> Iterator[str]:
    """Yield the names of all commands below one that do something by themselves."""
    below = getattr(command, "commands", None)
    if below is None:
        yield name
        return
    if command.invoke_without_command and "list" not in below:
        yield name
    for word, each in below.items():
        yield from leaves_of(f"{name} {word}", each)


LEAVES = {leaf for name in COMMANDS for leaf in leaves_of(name, load_command(name))}
ROUTES = {f"{operation.method} {operation.path}": operation.tag for operation in OPERATIONS}


def named(what: str) -> dict[str, Any]:
    """Return what all modules say under a name, each command or route by one module alone."""
    pairs = [(key, value) for module in SUBJECTS.values() for key, value in getattr(module, what, {}).items()]
    twice = {key for key, _ in pairs if [each for each, _ in pairs].count(key) > 1}
    assert twice == set(), f"two modules name the same under {what}"
    return dict(pairs)


def routes_of_commands() -> set[str]:
    return {
        route for routes in named("ROUTES").values() for route in ([routes] if isinstance(routes, str) else [*routes])
    }


def test_every_command_has_a_route_or_a_reason() -> None:
    known = named("ROUTES").keys() | named("WITHOUT").keys()
    assert {leaf for leaf in LEAVES - known if leaf.split()[0] not in PENDING} == set()


def test_every_route_has_a_command_or_a_reason() -> None:
    known = routes_of_commands() | named("ALONE").keys()
    assert {route for route, tag in ROUTES.items() if route not in known and tag not in PENDING} == set()


def test_nothing_is_named_that_is_not_there() -> None:
    assert named("ROUTES").keys() | named("WITHOUT").keys() <= LEAVES
    assert routes_of_commands() | named("ALONE").keys() <= ROUTES.keys()


def test_nothing_has_both_a_counterpart_and_a_reason_for_having_none() -> None:
    assert named("ROUTES").keys() & named("WITHOUT").keys() == set()
    assert routes_of_commands() & named("ALONE").keys() == set()


def test_every_reason_is_a_sentence() -> None:
    reasons = {**named("WITHOUT"), **named("ALONE")}
    assert {name for name, reason in reasons.items() if len(reason.split()) < 3} == set()
