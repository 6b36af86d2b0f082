"""What subjects share, parsed: games, organizations and channels. None means "the source did not say"."""

from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec

Record = TypeVar("Record")


class GameRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A game, or a category; where the source gives no name the id stands in for it."""

    external_id: str
    name: str
    box_art_url: str | None = None

    @property
    def named(self) -> bool:
        """Whether the source gave a name."""
        return self.name != self.external_id


class OrganizationRecord(msgspec.Struct, frozen=True, kw_only=True):
    """An organization; where the source gives no name the id stands in for it."""

    external_id: str
    name: str
    url: str | None = None
    logo_url: str | None = None

    @property
    def named(self) -> bool:
        """Whether the source gave a name."""
        return self.name != self.external_id


class ChannelRecord(msgspec.Struct, frozen=True, kw_only=True):
    external_id: str
    login: str
    display_name: str | None = None


class UserRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A Twitch user, which is what a channel belongs to; the id stays when the login changes."""

    external_id: str
    login: str
    display_name: str | None = None
    description: str | None = None
    profile_image_url: str | None = None


def filled(record: Record, other: Any) -> Record:
    """Return a record with the values of another one where it has none; an empty list is a value."""
    names: Iterable[str] = getattr(record, "__struct_fields__", ())
    values = {name: getattr(other, name, None) for name in names if getattr(record, name) is None}
    blanks = {name: value for name, value in values.items() if value is not None}
    return msgspec.structs.replace(record, **blanks) if blanks else record  # type: ignore[type-var]
