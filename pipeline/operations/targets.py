"""Targets: where a person's messages go."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection

from models.errors import WrongFields
from models.moments import Moment
from models.people import OWNER_ID
from models.vault import Vault
from notifiers import mutes
from notifiers import targets as store
from notifiers.check import try_target
from notifiers.errors import DeliveryError, TargetError
from notifiers.hearing import Patience
from notifiers.settings import change_settings
from notifiers.targets import Address, Removal
from notifiers.timing.settings import Role, TargetSettings, settings_from_json
from pipeline.people.store.plans import check_gauge
from pipeline.runtime.runtime import Runtime

# A request may take no longer than half a minute; a service that takes messages at all takes a test within this.
TEST_PATIENCE = Patience(
    connect=5.0,
    http_answer=15.0,
    http_body=2.0,
    mail_command=10.0,
    mail_data=10.0,
    mail_block=10.0,
    mail_end=15.0,
    other=15.0,
    whole=20.0,
)
# In some zone what is written as later is a time that Python has not.
LATEST = datetime(9999, 1, 1, tzinfo=UTC)
_NOT_ALLOWED = (
    "only the owner of the installation allows addresses in private networks: ask for `lootwire targets set NAME "
    "--private --person YOU`"
)
_NOT_OPERATOR = "only a target of the owner may have the role operator: it hears how the installation is"
_NO_HEARTBEAT = "a heartbeat needs the role operator: others hear nothing of the installation"


class MuteAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A mute that lasts: of one game, or of everything."""

    game: str | None
    until: Moment


class TargetAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A target as it may be shown: its address is not in it.

    `label` says which service it is at, `waiting` and `dead` count its messages. `is_refused` is true of an address
    that was just given and is in a private network, to which nothing is sent until the owner allows it.
    """

    id: int
    name: str
    label: str
    timezone: str
    created_at: Moment
    rests_until: Moment | None
    disabled_at: Moment | None
    waiting: int
    dead: int
    settings: TargetSettings
    origin: str | None
    role: Role | None
    is_refused: bool
    mutes: list[MuteAnswer]


class TrialAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a test message was taken; if not, why."""

    is_taken: bool
    reason: str | None = None


def list_targets(connection: Connection, person_id: int, now: datetime) -> list[TargetAnswer]:
    """Return a person's targets by name, each with what waits for it and what mutes it."""
    muted = mutes.list_mutes(connection, now, person_id=person_id)
    return [_answer(line, muted) for line in store.list_targets(connection, person_id=person_id)]


def show_target(connection: Connection, person_id: int, now: datetime, name: str) -> TargetAnswer:
    """Return one target of a person; raises `UnknownThing` where there is none of that name."""
    target_id = store.target_id_of(connection, name, person_id=person_id)
    return next(each for each in list_targets(connection, person_id, now) if each.id == target_id)


def add_target(
    connection: Connection,
    person_id: int,
    now: datetime,
    vault: Vault,
    *,
    name: str,
    url: str,
    timezone: str = "UTC",
    role: Role | None = None,
    settings: Mapping[str, Any],
    by_owner: bool = True,
) -> TargetAnswer:
    """Add a target by its Apprise URL, which is kept encrypted and never answered.

    `settings` are some of `TargetSettings`. What only the owner of the installation allows is refused unless it is done
    `by_owner`. Raises `WrongFields` for what cannot be, `TakenName` for a name that the person has already, and
    `QuotaError` where the person's plan allows no more.
    """
    wrong = {f"/{field}": reason for field, reason in store.mistakes_of(name, url, timezone)}
    wrong |= _mistakes_of_role(person_id, role, settings) | _mistakes_of_privacy(settings, by_owner=by_owner)
    if wrong:
        raise WrongFields(wrong)
    private = bool(settings.get("private"))
    options: dict[str, Any] = {"timezone": timezone, "role": role, "private": private, "person_id": person_id}
    line = store.add_target(connection, vault, name, url, now, **options)
    if settings:
        _change_settings(connection, person_id, now, name, settings)
    check_gauge(connection, person_id, "targets", len(store.list_targets(connection, person_id=person_id)))
    added = show_target(connection, person_id, now, name)
    return msgspec.structs.replace(added, is_refused=line.is_refused)


def read_address(vault: Vault, url: str) -> Address:
    """Return an address that messages can be sent to, encrypted; raises `WrongFields`, whose text does not hold it."""
    try:
        return Address.of(vault, url)
    except TargetError as error:
        raise WrongFields({"/url": str(error)}) from error


def change_target(
    connection: Connection,
    person_id: int,
    now: datetime,
    name: str,
    *,
    new_name: str | None = None,
    address: Address | None = None,
    timezone: str | None = None,
    role: Role | Literal["none"] | None = None,
    settings: Mapping[str, Any],
    by_owner: bool = True,
) -> TargetAnswer:
    """Change what is given of a target (`role` "none" ends it); its subscriptions and what waits for it stay.

    Where somebody else than the owner of the installation gives another address, it may not be a private one, although
    the one before might. Raises as `add_target` does, and `UnknownThing` for an unknown target.
    """
    before = show_target(connection, person_id, now, name)
    changes = dict(settings)
    if role == "none":
        changes.setdefault("heartbeat", None)
    if address is not None and not by_owner and before.settings.private:
        changes.setdefault("private", False)
    wrong = {f"/{field}": reason for field, reason in store.mistakes_of(new_name, None, timezone)}
    wrong |= _mistakes_of_role(person_id, None if role == "none" else role or before.role, changes)
    if wrong := wrong | _mistakes_of_privacy(changes, by_owner=by_owner):
        raise WrongFields(wrong)
    line = store.change_target(
        connection, name, new_name=new_name, address=address, timezone=timezone, role=role, person_id=person_id
    )
    if changes:
        _change_settings(connection, person_id, now, line.name, changes)
    changed = show_target(connection, person_id, now, line.name)
    is_refused = address is not None and address.is_private and not changed.settings.private
    return msgspec.structs.replace(changed, is_refused=is_refused)


def pause_target(connection: Connection, person_id: int, now: datetime, name: str) -> TargetAnswer:
    """Send a target nothing until it is resumed; of what happens meanwhile it is never told."""
    store.pause_target(connection, name, now, person_id=person_id)
    return show_target(connection, person_id, now, name)


def resume_target(connection: Connection, person_id: int, now: datetime, name: str) -> TargetAnswer:
    """Send to a paused target again: what waited when it was paused, and what happens from now on."""
    store.resume_target(connection, name, person_id=person_id)
    return show_target(connection, person_id, now, name)


def mute_target(
    connection: Connection, person_id: int, now: datetime, name: str, *, until: datetime, game: str | None = None
) -> TargetAnswer:
    """Tell a target nothing, or nothing of a game, until a time.

    Raises `WrongFields` for one that has passed, or is of the last year that there is.
    """
    if not now < until < LATEST:
        reason = "has passed: give a time that is yet to come" if until <= now else "is too far away: pause it instead"
        raise WrongFields({"/until": reason})
    mutes.mute(connection, name, until, now, game=game, person_id=person_id)
    return show_target(connection, person_id, now, name)


def unmute_target(
    connection: Connection, person_id: int, now: datetime, name: str, *, game: str | None = None
) -> TargetAnswer:
    """End a mute of a target, of all or of a game; where there is none nothing changes."""
    mutes.unmute(connection, name, now, game=game, person_id=person_id)
    return show_target(connection, person_id, now, name)


def send_test(runtime: Runtime, person_id: int, name: str) -> TrialAnswer:
    """Send a test message to a target, now; raises `UnknownThing` for an unknown target."""
    try:
        try_target(runtime.engine, runtime.vault, name, person_id=person_id, patience=TEST_PATIENCE)
    except DeliveryError as error:
        return TrialAnswer(is_taken=False, reason=error.reason)
    return TrialAnswer(is_taken=True)


def remove_target(connection: Connection, person_id: int, now: datetime, name: str) -> Removal:
    """Remove a target with its address and subscriptions; what waits for it is given up, what was sent stays."""
    return store.remove_target(connection, name, now, person_id=person_id)


def _change_settings(
    connection: Connection, person_id: int, now: datetime, name: str, settings: Mapping[str, Any]
) -> None:
    try:
        change_settings(connection, name, settings, now, person_id=person_id)
    except TargetError as error:
        raise WrongFields({"/settings/quiet": str(error)}) from error


def _mistakes_of_role(person_id: int, role: Role | None, settings: Mapping[str, Any]) -> dict[str, str]:
    wrong = {"/role": _NOT_OPERATOR} if role is not None and person_id != OWNER_ID else {}
    return wrong | ({"/settings/heartbeat": _NO_HEARTBEAT} if settings.get("heartbeat") and role is None else {})


def _mistakes_of_privacy(settings: Mapping[str, Any], *, by_owner: bool) -> dict[str, str]:
    return {"/settings/private": _NOT_ALLOWED} if settings.get("private") and not by_owner else {}


def _answer(line: store.TargetLine, muted: list[mutes.MuteLine]) -> TargetAnswer:
    of_target = [MuteAnswer(game=each.game, until=each.until) for each in muted if each.target == line.name]
    fields = vars(line) | {"settings": settings_from_json(line.settings), "mutes": of_target}
    return TargetAnswer(**fields)
