"""What every source offers, and the small shapes that their wire formats share."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, Protocol, TypeVar

import msgspec
import xxhash

from pipeline.errors import InvalidItem
from pipeline.http import Client
from pipeline.records import CampaignRecord, Item, RewardCampaignRecord, Snapshot, clean
from pipeline.streams.records import BadgeRecord

Shape = TypeVar("Shape")

# What msgspec raises for JSON that is broken, of the wrong shape, not UTF-8, or nested a thousand deep.
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

# PostgreSQL's integer: a larger number in a payload is nonsense and sets its item aside.
Count = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
# A time without a zone is refused where the service is known to send one.
Time = Annotated[datetime, msgspec.Meta(tz=True)]
# Services send ids as text or as numbers; we keep text.
Id = str | int


class Validators(msgspec.Struct, frozen=True, kw_only=True):
    """What makes a request conditional, and what a source remembered from its last fetch."""

    etag: str | None = None
    last_modified: str | None = None
    cursor: Mapping[str, Any] = {}


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a fetch brought. `payload` is None where the service said that nothing changed (304).

    `taken_at` is the moment the service says that its answer was true, where it says so; `refresh_after` how often
    it wants to be asked at most.
    """

    payload: bytes | None
    taken_at: datetime | None = None
    refresh_after: timedelta | None = None
    validators: Validators = Validators()


class PolledSource(Protocol):
    """One place that is asked now and then."""

    @property
    def name(self) -> str:
        """The name of its row: `twitch.drops`."""

    @property
    def service(self) -> Literal["twitch", "kick", "chzzk", "igdb"]:
        """The service that it tells of."""

    def fetch(self, client: Client, validators: Validators) -> Answer:
        """Ask the service; raises `SourceError`."""


class DropSource(PolledSource, Protocol):
    """One place that lists campaigns, rewards or badges: its requests, its shapes, its parse."""

    @property
    def kind(self) -> Literal["campaign", "reward", "badge"]:
        """The kind of thing that it lists."""

    def split(self, payload: bytes) -> Snapshot:
        """Cut a payload into items without decoding them; raises `SourceChanged` where its envelope is unknown."""

    def parse(self, item: Item) -> CampaignRecord | RewardCampaignRecord | BadgeRecord:
        """Decode one item; raises `InvalidItem` with the reason."""


def digest(*parts: bytes | msgspec.Raw) -> bytes:
    """Return 16 bytes that tell one item's raw bytes from another's.

    Not a cryptographic hash, which would cost more than all else that the steady state does: a source that made two
    items collide would only hide its own news.
    """
    state = xxhash.xxh3_128()
    for part in parts:
        state.update(part)
    return state.digest()


def required(text: str | None, field: str) -> str:
    """Return the cleaned text, or refuse the item if nothing is left of it."""
    cleaned = clean(text)
    if cleaned is None:
        raise InvalidItem(f"`{field}` is empty")
    return cleaned


def identity(key: Id | None) -> str | None:
    """Return an id as text that can be stored; None where nothing is left of it."""
    return None if key is None else clean(str(key))


def utc(time: datetime | None) -> datetime | None:
    """Return the time in UTC; a time that no calendar holds there refuses the item."""
    if time is None:
        return None
    try:
        return time.astimezone(UTC)
    except OverflowError as error:
        raise InvalidItem(f"time out of range: {time.isoformat()}") from error


def decode_item(decoder: msgspec.json.Decoder[Shape], item: Item) -> Shape:
    """Decode an item's raw JSON into its wire shape; what does not fit is an `InvalidItem` that names the field."""
    try:
        return decoder.decode(item.raw)
    except UNREADABLE as error:
        raise InvalidItem(str(error)) from error
