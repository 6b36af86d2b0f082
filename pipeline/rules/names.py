"""Tells which names in conditions nothing has yet: a typing error would wait for ever, and nobody would know."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from sqlalchemy import Connection, select

from models import GameList
from models.names import name_key, nearest
from models.people import OWNER_ID
from notifiers.conditions.conditions import Conditions
from notifiers.subscriptions import ON_ANY_PLATFORM, check_conditions, my_platforms
from pipeline.catalogue.unknown import Unknown, unknown_channel, unknown_organization
from pipeline.games.finding.unknown import unknown_game, unknown_platform
from pipeline.rules.applying import FileChanges
from pipeline.rules.files import subscriptions_of

# What the condition on a kind is called, where that is not its plural.
_KEYS = {"category": "categories"}


# What of each kind the files that are applied will bring: names of lists, and of categories.
Coming = Mapping[str, Collection[str]]


def unknown_names(
    connection: Connection, conditions: Conditions, coming: Coming | None = None, *, person_id: int = OWNER_ID
) -> list[Unknown]:
    """Return the names in a person's conditions that nothing has yet; those that are `coming` will be there soon."""
    # Of several services any may have it.
    service = conditions.services[0] if len(conditions.services) == 1 else None
    soon = coming or {}
    looked_up = (
        *(unknown_game(connection, name, service) for name in conditions.games),
        *(unknown_organization(connection, name, service) for name in conditions.organizations),
        *(unknown_channel(connection, login, service) for login in conditions.channels),
        *(_unknown_list(connection, person_id, name, soon.get("list", ())) for name in conditions.lists),
        *(_unknown_category(connection, name, soon.get("category", ())) for name in conditions.categories),
        *(unknown_platform(connection, name) for name in conditions.platforms),
    )
    return [each for each in looked_up if each is not None]


def names_to_wait_for(connection: Connection, by_file: Sequence[FileChanges]) -> Iterator[str]:
    """Yield a sentence for each name that nothing has yet in subscriptions which are about to change."""
    follows = [follow for each in by_file for follow in each.file.wanted.follows]
    coming = {kind: [follow.name for follow in follows if follow.kind == kind] for kind in ("list", "category")}
    for each in by_file:
        changed = {change.name for change in each.changes if change.what == "subscription"}
        for number, block in enumerate(each.file.rules.subscription):
            if changed.isdisjoint(subscription.name for subscription in subscriptions_of(block)):
                continue
            # As they are stored: a channel may be written as its address.
            stored = check_conditions(connection, block.conditions)
            if stored.my_platforms and not my_platforms(connection, OWNER_ID):
                line = each.file.read.line("subscription", number, "my_platforms")
                yield f"{each.file.path}:{line}: {ON_ANY_PLATFORM}"
            for unknown in unknown_names(connection, stored, coming):
                line = each.file.read.line("subscription", number, _KEYS.get(unknown.kind, f"{unknown.kind}s"))
                yield f"{each.file.path}:{line}: {unknown.sentence}: {block.name!r} waits for one of that name"


def _unknown_list(connection: Connection, person_id: int, name: str, coming: Collection[str]) -> Unknown | None:
    of_person = select(GameList.name).where(GameList.person_id == person_id)
    names = [*connection.scalars(of_person), *coming]
    if name_key(name) in map(name_key, names):
        return None
    return Unknown("list", name, nearest(name, names))


def _unknown_category(connection: Connection, name: str, coming: Collection[str]) -> Unknown | None:
    """Return what is known instead of a category of streams: it is a game, or what else a service calls a category."""
    if name_key(name) in map(name_key, coming) or (unknown := unknown_game(connection, name)) is None:
        return None
    return unknown._replace(kind="category")
