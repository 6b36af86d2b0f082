"""Twitch's global chat badges: `GET /chat/badges/global` of Helix, one unpaged list of sets with their versions.

https://dev.twitch.tv/docs/api/reference/#get-global-chat-badges
"""

from collections.abc import Callable, Collection, Iterator
from datetime import timedelta
from typing import ClassVar

import msgspec

from pipeline.drops.badges import BadgeSubjects
from pipeline.drops.sources.looks import Look, Recognition
from pipeline.errors import InvalidItem, SourceChanged, SourceRefused
from pipeline.fetch.http import Client
from pipeline.fetch.mending import decode_mended
from pipeline.fetch.shapes import UNREADABLE, digest, required_id
from pipeline.ingest.source import Answer, Item, Snapshot, Validators, id_under
from pipeline.services.twitch.helix import Helix
from pipeline.services.twitch.helix_shapes import parse_badges
from pipeline.services.twitch.records import BadgeRecord


class WireSet(msgspec.Struct, frozen=True):
    """A set of badges, whatever its versions hold."""

    set_id: str
    versions: list[msgspec.Raw]


class WireHead(msgspec.Struct, frozen=True):
    """A version's id, which no other version of its set has."""

    id: str


class WireEnvelope(msgspec.Struct, frozen=True):
    data: list[msgspec.Raw]


class Entry(msgspec.Struct, frozen=True):
    """A version in a set of its own, under an id that no other version has."""

    id: str
    set_id: str
    versions: tuple[msgspec.Raw]


_ENVELOPE = msgspec.json.Decoder(WireEnvelope)
_SET = msgspec.json.Decoder(WireSet)
_HEAD = msgspec.json.Decoder(WireHead)


class Badges:
    """Lists of chat badges in files: all that can be read of them until an application of ours is set."""

    name = "twitch.badges"
    service: ClassVar[str] = "twitch"
    asks = "twitch"
    subjects: ClassVar[type[BadgeSubjects]] = BadgeSubjects
    outranked_by: ClassVar[Collection[str]] = ()

    def fetch(self, client: Client, validators: Validators) -> Answer:  # noqa: ARG002
        """Raise `SourceRefused`: Twitch lists badges to applications only."""
        raise SourceRefused("chat badges need TWITCH_CLIENT_ID and TWITCH_CLIENT_SECRET")

    def split(self, payload: bytes) -> Snapshot:
        """Cut the list into versions; a set that lists none shows none to be gone."""
        try:
            rows = decode_mended(_ENVELOPE, payload).data
        except UNREADABLE as error:
            raise SourceChanged(f"not Twitch's list of chat badges: {error}", payload=payload) from error
        items: list[Item] = []
        broken: list[tuple[bytes, str]] = []
        empty: set[str] = set()
        for row in rows:
            try:
                versions = list(_entries(row))
            except (*UNREADABLE, InvalidItem) as error:
                broken.append((bytes(row), str(error)))
                continue
            items += versions
            if not versions:
                empty.add(_SET.decode(row).set_id)
        return Snapshot(items=items, broken=broken, empty_groups=frozenset(empty))

    def parse(self, item: Item) -> BadgeRecord:
        """Decode one version."""
        try:
            return parse_badges(msgspec.Raw(item.raw))[0]
        except UNREADABLE as error:
            raise InvalidItem(str(error)) from error

    def peek_id(self, item: Item) -> str | None:
        """Return the id of an item."""
        return id_under("id", item)


class TwitchBadges(Badges):
    """The badges as Twitch lists them now."""

    def __init__(self, helix: Callable[[Client], Helix], *, poll_every: timedelta) -> None:
        self._helix = helix
        self._poll_every = poll_every

    def fetch(self, client: Client, validators: Validators) -> Answer:  # noqa: ARG002 - Helix has no validators
        """Ask for the list."""
        return Answer(payload=self._helix(client).badges_payload(), refresh_after=self._poll_every)


def recognise_badges(look: Look) -> Recognition | None:
    """Recognise Helix's list of badges."""
    bare = look.is_object and not look.is_wrapped
    return ("Twitch chat badges", [Badges.name]) if bare and look.first.keys() >= {"set_id", "versions"} else None


def _entries(row: msgspec.Raw) -> Iterator[Item]:
    """Yield the versions of a set; one without an id takes its whole set aside."""
    wire = _SET.decode(row)
    set_id = required_id(wire.set_id, "set_id")
    for raw in wire.versions:
        version = required_id(_HEAD.decode(raw).id, "id")
        entry = Entry(f"{set_id}/{version}", set_id, (raw,))
        yield Item(digest(set_id.encode(), raw), msgspec.json.encode(entry), group_id=set_id)
