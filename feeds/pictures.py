"""Show pictures by their copies in the published folder, and ask for copies of those that have none."""

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar, cast

import msgspec
from sqlalchemy import ARRAY, Connection, Engine, Text, any_, bindparam, case, func, select, update
from sqlalchemy.dialects.postgresql import insert

from feeds.sanitise import safe_url
from feeds.write import PICTURES
from models import Picture

# What is still shown is fetched anew after a day: a stream's still and a box art keep their address when they change.
FRESH = timedelta(days=1)
LONGEST_ADDRESS = 2000
_FIELDS = frozenset({"image_url", "box_art_url", "profile_image_url"})

_NEW = insert(Picture)
_WANT = _NEW.on_conflict_do_update(
    index_elements=[Picture.address],
    set_={
        "last_wanted_at": _NEW.excluded.last_wanted_at,
        "next_due_at": func.coalesce(Picture.next_due_at, _NEW.excluded.next_due_at),
        "attempts": case((Picture.next_due_at.is_(None), 0), else_=Picture.attempts),
    },
    # Most of what is written shows what was shown a minute ago, which is no reason to write rows.
    where=Picture.last_wanted_at < bindparam("before"),
)
_COPIED = select(Picture.address, Picture.path).where(
    Picture.address == any_(bindparam("addresses", type_=ARRAY(Text))), Picture.path.is_not(None)
)
_LOST = (
    update(Picture)
    .where(Picture.address == any_(bindparam("addresses", type_=ARRAY(Text))))
    .values(path=None, size=None, attempts=0, next_due_at=bindparam("now"))
)

T = TypeVar("T")


def picture_path(address: str, ending: str) -> str:
    """Return where the copy of a picture lies below the published folder; `ending` is its type's, without a dot."""
    return f"{PICTURES}/{hashlib.blake2b(address.encode(), digest_size=16).hexdigest()}.{ending}"


class Gallery:
    """Exchanges the addresses of pictures in what is to be rendered; where it is not `enabled` it changes nothing."""

    def __init__(self, engine: Engine, root: Path, base_url: str, now: datetime, *, enabled: bool) -> None:
        self._engine = engine
        self._root = root
        self._base_url = base_url.rstrip("/")
        self._now = now
        self.enabled = enabled

    def show(self, values: Sequence[T], *, wanting: bool = True) -> list[T]:
        """Return the values with the addresses of copies where there are any; each picture counts as wanted now.

        Not so where it is not `wanting`: the name of a copy follows from its address, so anybody could find out by it
        which games only a private feed names.
        """
        wanted = addresses(values) if self.enabled else set()
        if not wanted:
            return list(values)
        with self._engine.begin() as connection:
            if wanting:
                want(connection, wanted, self._now)
            copies = {row.address: row.path for row in connection.execute(_COPIED, {"addresses": list(wanted)})}
            # The folder may be a new one, or a person has tidied it.
            lost = [address for address, path in copies.items() if not (self._root / path).is_file()]
            if lost:
                connection.execute(_LOST, {"addresses": sorted(lost), "now": self._now})
        there = {address: f"{self._base_url}/{copies[address]}" for address in copies.keys() - set(lost)}
        return [with_copies(value, there) for value in values]


def want(connection: Connection, wanted: Collection[str], now: datetime) -> None:
    """Note that pictures are shown; those that are new, or were last wanted over a day ago, become due."""
    rows = [{"address": address, "last_wanted_at": now, "next_due_at": now} for address in sorted(wanted)]
    connection.execute(_WANT, [row | {"before": now - FRESH} for row in rows])


def addresses(values: Sequence[object]) -> set[str]:
    """Return the safe addresses of all pictures in values, however deep they lie.

    One that is too long for an index has no copy, and is shown as it is.
    """
    safe_addresses: set[str] = set()

    def note(address: str) -> str:
        if (safe := safe_url(address)) and len(safe.encode()) <= LONGEST_ADDRESS:
            safe_addresses.add(safe)
        return address

    for value in values:
        _exchanged(value, note)
    return safe_addresses


def with_copies(value: T, copies: Mapping[str, str]) -> T:
    """Return a value whose pictures are shown by their copies, as far as there are any; others stay as they are."""
    return cast("T", _exchanged(value, lambda address: copies.get(safe_url(address) or "", address)))


def _exchanged(value: object, exchange: Callable[[str], str]) -> object:
    if type(value) is tuple:
        parts = tuple(_exchanged(part, exchange) for part in value)
        return value if all(new is old for new, old in zip(parts, value, strict=True)) else parts
    if not isinstance(value, msgspec.Struct):
        return value
    changed = {}
    for field in value.__struct_fields__:
        old = getattr(value, field)
        new = exchange(old) if field in _FIELDS and isinstance(old, str) else _exchanged(old, exchange)
        if new is not old:
            changed[field] = new
    return msgspec.structs.replace(value, **changed) if changed else value
