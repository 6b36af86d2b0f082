"""Tells which names in conditions nothing has yet: a typing error would wait for ever, and nobody would know."""

from collections.abc import Collection, Iterator, Sequence

from sqlalchemy import Connection, select

from models import GameList
from models.names import name_key, nearest
from notifiers.conditions.conditions import Conditions
from notifiers.rules.reading import line_of
from pipeline.catalogue.unknown import Unknown, unknown_channel, unknown_organization
from pipeline.games.finding.unknown import unknown_game
from pipeline.rules.applying import FileChanges


def unknown_names(connection: Connection, conditions: Conditions, lists: Collection[str] = ()) -> list[Unknown]:
    """Return the names in conditions that nothing has yet; `lists` are of games, and will be there soon."""
    # Of several services any may have it.
    service = conditions.services[0] if len(conditions.services) == 1 else None
    looked_up = (
        *(unknown_game(connection, name, service) for name in conditions.games),
        *(unknown_organization(connection, name, service) for name in conditions.organizations),
        *(unknown_channel(connection, login, service) for login in conditions.channels),
        *(_unknown_list(connection, name, lists) for name in conditions.lists),
    )
    return [each for each in looked_up if each is not None]


def names_to_wait_for(connection: Connection, by_file: Sequence[FileChanges]) -> Iterator[str]:
    """Yield a sentence for each name that nothing has yet in subscriptions which are about to change."""
    lists = [follow.name for each in by_file for follow in each.file.wanted.follows if follow.kind == "list"]
    for each in by_file:
        changed = {change.name for change in each.changes if change.what == "subscription"}
        for number, block in enumerate(each.file.rules.subscription):
            if changed.isdisjoint({block.name, *(f"{block.name} ({target})" for target in block.to)}):
                continue
            where = f"{each.file.path}:{line_of(each.file.text, 'subscription', number)}"
            for unknown in unknown_names(connection, block.conditions, lists):
                yield f"{where}: {unknown.sentence}: {block.name!r} waits for one of that name"


def _unknown_list(connection: Connection, name: str, coming: Collection[str]) -> Unknown | None:
    names = [*connection.scalars(select(GameList.name)), *coming]
    if name_key(name) in map(name_key, names):
        return None
    return Unknown("list", name, nearest(name, names))
