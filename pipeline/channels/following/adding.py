"""Follow channels and categories by the names that people give them: ask Twitch, then store the follow."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Literal

import msgspec
from sqlalchemy import Engine

from models.errors import UsageError
from models.names import name_key
from models.people import OWNER_ID
from pipeline.catalogue.records import UserRecord
from pipeline.channels.following.follows import follow, follow_category, renamed
from pipeline.channels.following.names import Name
from pipeline.channels.streams.details import category_game
from pipeline.services.twitch.helix import Helix
from pipeline.services.twitch.records import CategoryRecord

CATEGORIES_NAMED = 10
Result = Literal["followed", "already followed", "unknown", "no channel"]


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome for one name. `taken_as` is `login`, `id` or `former login`; `note` is for the person to read."""

    name: str
    result: Result
    external_id: str | None = None
    login: str | None = None
    display_name: str | None = None
    taken_as: str | None = None
    note: str | None = None

    @property
    def is_set_aside(self) -> bool:
        return self.external_id is None


class Users:
    """The users that Twitch has for these names."""

    def __init__(self, users: Sequence[UserRecord], former: Mapping[str, str]) -> None:
        self._by_id = {user.external_id: user for user in users}
        self._by_login = {user.login.lower(): user for user in users}
        self._former = former

    def meant_by(self, name: Name) -> tuple[UserRecord, str, str | None] | None:
        """Return the user, what the name was taken as, and a note where that is not plain."""
        by_id = self._by_id.get(name.external_id or "")
        by_login = self._by_login.get(name.login or "")
        if by_id is not None:
            note = f"taken as an id; for the login {name.login} write twitch.tv/{name.login}" if by_login else None
            return by_id, "id", note
        if by_login is not None:
            return by_login, "login", "taken as a login: there is no such id" if name.external_id else None
        user = self._by_id.get(self._former.get(name.login or "", ""))
        return None if user is None else (user, "former login", f"is now {user.login}")


def add_channels(
    engine: Engine, helix: Helix, names: Sequence[Name], now: datetime, *, person_id: int = OWNER_ID
) -> list[Outcome]:
    """Follow the channels that these names mean; returns the outcome of each, in their order.

    Asks Twitch once for each hundred names. Raises `SourceError` where it does not answer, and `QuotaError` where the
    person's plan allows no more: then none is followed.
    """
    users = ask_users(engine, helix, [name for name in names if name.problem is None])
    meant = [(name, users.meant_by(name)) for name in names]
    users_meant = {meaning[0].external_id: meaning[0] for _, meaning in meant if meaning is not None}
    with engine.begin() as connection:
        new = follow(connection, list(users_meant.values()), now, person_id=person_id)
    return list(_tell(meant, new))


def add_category(engine: Engine, helix: Helix, name: str, top: int, now: datetime, *, person_id: int = OWNER_ID) -> str:
    """Follow a category by its name, as people write it; returns the name that Twitch gives it.

    Raises `UsageError` that lists the candidates where the name is not plain, and `QuotaError` where the person's plan
    allows no more.
    """
    category = _one_category(name, helix.categories(names=[name]) or helix.search_categories(name))
    record = category_game(category)
    with engine.begin() as connection:
        follow_category(connection, record, top, now, person_id=person_id)
    return category.name


def ask_users(engine: Engine, helix: Helix, names: Sequence[Name]) -> Users:
    """Ask Twitch for the users of names that can be some; one that a former login means is among them."""
    logins = {name.login for name in names if name.login}
    ids = {name.external_id for name in names if name.external_id}
    users = helix.users(ids=ids, logins=logins) if names else []
    missing = logins - {user.login.lower() for user in users}
    with engine.connect() as connection:
        former = renamed(connection, sorted(missing))
    unasked = set(former.values()) - {user.external_id for user in users}
    return Users([*users, *(helix.users(ids=unasked) if unasked else [])], former)


def _tell(meant: Sequence[tuple[Name, tuple[UserRecord, str, str | None] | None]], new: set[str]) -> Iterator[Outcome]:
    reported: set[str] = set()
    for name, meaning in meant:
        if meaning is None:
            unknown = name.problem is None
            note = "Twitch knows no such channel" if unknown else name.problem
            yield Outcome(name=name.text, result="unknown" if unknown else "no channel", note=note)
            continue
        user, taken_as, note = meaning
        is_new = user.external_id in new and user.external_id not in reported
        reported.add(user.external_id)
        yield Outcome(
            name=name.text,
            result="followed" if is_new else "already followed",
            external_id=user.external_id,
            login=user.login,
            display_name=user.display_name,
            taken_as=taken_as,
            note=note,
        )


def _one_category(name: str, categories: Sequence[CategoryRecord]) -> CategoryRecord:
    same = [category for category in categories if name_key(category.name) == name_key(name)]
    if len(same) == 1 or (not same and len(categories) == 1):
        return (same or categories)[0]
    if not categories:
        raise UsageError(f"Twitch finds no category {name!r}")
    listed = ", ".join(repr(category.name) for category in (same or categories)[:CATEGORIES_NAMED])
    more = " and more" if len(categories) > CATEGORIES_NAMED else ""
    raise UsageError(f"Twitch finds several categories for {name!r}: {listed}{more}; write one of them")
