"""Hosts that sounds are fetched from: one download at a time, rests after refusals, and cookies for them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import msgspec
from sqlalchemy import Connection, delete, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from models import SoundHost
from models.due import is_due
from models.errors import UsageError
from models.vault import Vault

DEFAULT_PORTS = {"http": 80, "https": 443}
# A host that refuses for want of patience rests for longer each time.
FIRST_REST = timedelta(minutes=2)
LONGEST_REST = timedelta(hours=6)


class Host(msgspec.Struct, frozen=True, kw_only=True):
    """A host as commands show it; its cookies themselves are never shown."""

    host: str
    until: datetime | None
    reason: str | None
    refusals: int
    last_fetched_at: datetime | None
    cookies_set_at: datetime | None
    cookies_stale_at: datetime | None


def host_of(url: str) -> str:
    """Return the name of an address's host, with its port where it is not the usual one.

    Raises `UsageError` where it is no http or https address, or names no host.
    """
    try:
        parts = urlsplit(url)
        name, port = parts.hostname, parts.port
    except ValueError as error:
        raise UsageError(f"this is no address that sounds can be fetched from: {error}") from None
    if parts.scheme not in DEFAULT_PORTS or not name:
        raise UsageError(
            "sounds are fetched from http:// and https:// addresses, such as https://www.twitch.tv/videos/1"
        )
    name = f"[{name}]" if ":" in name else name.removeprefix("www.")
    return name if port in {None, DEFAULT_PORTS[parts.scheme]} else f"{name}:{port}"


def list_hosts(connection: Connection) -> Sequence[Host]:
    """Return the hosts that something is known of, by name."""
    columns = [getattr(SoundHost, name) for name in Host.__struct_fields__]
    rows = connection.execute(select(*columns).order_by(SoundHost.host)).mappings()
    return [Host(**row) for row in rows]


def take_turn(connection: Connection, host: str, now: datetime, *, pause: timedelta) -> bool:
    """Lock a host's row to the end of the transaction; returns whether it may be asked now.

    It may not while it rests, within the `pause` after the last time that something was fetched from it, or while
    another transaction takes its turn.
    """
    connection.execute(insert(SoundHost).values(host=host).on_conflict_do_nothing())
    query = select(SoundHost.until, SoundHost.last_fetched_at).where(SoundHost.host == host)
    row = connection.execute(query.with_for_update(skip_locked=True)).one_or_none()
    if row is None:
        return False
    paused_until = None if row.last_fetched_at is None else row.last_fetched_at + pause
    rests = row.until is not None and not is_due(row.until, now, LONGEST_REST)
    pauses = paused_until is not None and not is_due(paused_until, now, pause)
    return not (rests or pauses)


def note_fetched(connection: Connection, host: str, now: datetime, *, works: bool) -> None:
    """Note that something was asked of a host just now; one that `works` has no refusals in a row any more."""
    values = {"refusals": 0, "until": None, "reason": None} if works else {}
    connection.execute(update(SoundHost).where(SoundHost.host == host).values(last_fetched_at=now, **values))


def let_rest(
    connection: Connection, host: str, now: datetime, *, reason: str, retry_after: timedelta | None
) -> datetime:
    """Leave a host alone for as long as it asks, or for longer with each refusal; returns until when."""
    connection.execute(insert(SoundHost).values(host=host).on_conflict_do_nothing())
    row = connection.execute(
        select(SoundHost.refusals, SoundHost.until).where(SoundHost.host == host).with_for_update()
    ).one()
    rest = min(max(retry_after or timedelta(0), rest_after(row.refusals)), LONGEST_REST)
    until = now + rest
    connection.execute(
        update(SoundHost)
        .where(SoundHost.host == host)
        .values(until=until, reason=reason, refusals=row.refusals + 1, last_fetched_at=now)
    )
    return until


def rest_after(refusals: int) -> timedelta:
    """Return how long a host rests that has refused so often in a row before: two minutes, then twice as long."""
    return min(FIRST_REST * (1 << min(refusals, 20)), LONGEST_REST)


def set_cookies(connection: Connection, vault: Vault, host: str, cookies: str, now: datetime) -> None:
    """Keep a Netscape cookie file for a host, encrypted; it replaces the one before, and the host rests no more."""
    values = {"cookies_encrypted": vault.encrypt(cookies), "cookies_set_at": now, "cookies_stale_at": None}
    row = insert(SoundHost).values(host=host, **values)
    connection.execute(row.on_conflict_do_update(index_elements=[SoundHost.host], set_=values | {"until": None}))


def remove_cookies(connection: Connection, host: str) -> bool:
    """Forget the cookies for a host; returns whether there were any."""
    values = {"cookies_encrypted": None, "cookies_set_at": None, "cookies_stale_at": None}
    has_some = SoundHost.cookies_encrypted.is_not(None)
    return bool(connection.execute(update(SoundHost).where(SoundHost.host == host, has_some).values(values)).rowcount)


def load_cookies(connection: Connection, vault: Vault, host: str) -> str | None:
    """Return the cookie file for a host, or for a domain that it belongs to; None without one.

    Raises `VaultError` where another key encrypted it.
    """
    names = domains_of(host)
    rows = connection.execute(
        select(SoundHost.host, SoundHost.cookies_encrypted).where(
            SoundHost.host.in_(names), SoundHost.cookies_encrypted.is_not(None)
        )
    ).all()
    encrypted = {row.host: row.cookies_encrypted for row in rows}
    nearest = next((name for name in names if name in encrypted), None)
    return None if nearest is None else vault.decrypt(encrypted[nearest])


def note_stale_cookies(connection: Connection, host: str, now: datetime) -> None:
    """Note that a host refused a try with its cookies."""
    is_meant = or_(*(SoundHost.host == name for name in domains_of(host)))
    has_some = SoundHost.cookies_encrypted.is_not(None)
    connection.execute(update(SoundHost).where(is_meant, has_some).values(cookies_stale_at=now))


def domains_of(host: str) -> Sequence[str]:
    """Return a host and the domains that it belongs to, the nearest first, none of a single label."""
    labels = host.split(".")
    return [host, *(".".join(labels[first:]) for first in range(1, max(1, len(labels) - 1)))]


def forget_idle_hosts(connection: Connection, before: datetime) -> int:
    """Forget hosts without cookies that nothing was fetched from since `before`; returns how many."""
    idle = or_(SoundHost.last_fetched_at.is_(None), SoundHost.last_fetched_at < before)
    rested = or_(SoundHost.until.is_(None), SoundHost.until < before)
    return connection.execute(delete(SoundHost).where(SoundHost.cookies_encrypted.is_(None), idle, rested)).rowcount
