"""What every source offers: one whose lists are judged and compared, and one that stores its own answers."""

import functools
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol, runtime_checkable

import msgspec
from sqlalchemy import Connection, RowMapping

from pipeline.errors import InvalidItem
from pipeline.fetch.http import Client
from pipeline.fetch.limits import MAX_ITEM
from pipeline.fetch.shapes import UNREADABLE, Id, Shape, identity
from pipeline.ingest.subjects import Record, Subjects

Outcome = Literal["ok", "unchanged", "late", "quarantined", "failed", "gave way"]


class Item(msgspec.Struct, frozen=True):
    """One thing of a payload, not decoded yet: its raw JSON and a digest that changes when anything in it does.

    `group_id` is the group under which the payload lists it, `context` what a group says for all its items.
    """

    digest: bytes
    raw: bytes | msgspec.Raw
    group_id: str | None = None
    context: Any = None


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that one answer lists at one moment.

    `scope` is None when the answer lists all that there is; else it holds the ids that were asked for, and nothing
    else may be judged absent. Groups in `empty_groups` judge none of their items. An answer that is not `complete`,
    because the service gave a part of it only, may add and update but shows nothing to be gone. One that is `sound` was
    read as it is: nothing in its payload was mended; where this is false, that is not known.
    """

    items: Sequence[Item]
    # Items whose envelope could not even be split: (raw bytes, reason).
    broken: Sequence[tuple[bytes, str]] = ()
    scope: frozenset[str] | None = None
    empty_groups: frozenset[str] = frozenset()
    complete: bool = True
    sound: bool = False


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


class Ingested(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an answer. `quarantined` lists what was set aside as (reason, detail).

    Of one that `is_part` only some of what it lists for the first time is stored: it is to be ingested again.
    """

    outcome: Outcome
    items: int = 0
    changed: int = 0
    invalid: int = 0
    events: Counter[str] = Counter()
    quarantined: Sequence[tuple[str, str]] = ()
    is_part: bool = False


class PolledSource(Protocol):
    """One place that is asked now and then."""

    @property
    def name(self) -> str:
        """The name of its row, which begins with its service: `twitch.drops`."""

    @property
    def service(self) -> str:
        """The service whose things it lists."""

    @property
    def asks(self) -> str:
        """What answers it, by a name that it shares with all sources that one slowness there would slow.

        Of those with one name, one is fetched at a time.
        """

    def fetch(self, client: Client, validators: Validators) -> Answer:
        """Ask the service; raises `SourceError`."""


class ListSource(PolledSource, Protocol):
    """One place that lists things of one kind: its requests, its shapes, its parse."""

    @property
    def subjects(self) -> type[Subjects[Any]]:
        """How the kind of thing that it lists is loaded, stored and announced."""

    @property
    def outranked_by(self) -> Collection[str]:
        """The names of the sources whose word counts for more where they list the same thing."""

    def split(self, payload: bytes) -> Snapshot:
        """Cut a payload into items without decoding them; raises `SourceChanged` where its envelope is unknown."""

    def parse(self, item: Item) -> Record:
        """Decode one item; raises `InvalidItem` with the reason."""

    def peek_id(self, item: Item) -> str | None:
        """Return the external id of an item, also of one that cannot be decoded; None where it cannot be read."""


@runtime_checkable
class RoundSource(PolledSource, Protocol):
    """One place whose answers are no lists to compare: the source itself stores what a round of requests brought."""

    def take_in(self, connection: Connection, row: RowMapping, answer: Answer, now: datetime) -> Ingested:
        """Store an answer, inside the caller's transaction; `row` is the source's own."""


Fetchable = ListSource | RoundSource


def decode_item(decoder: msgspec.json.Decoder[Shape], item: Item) -> Shape:
    """Decode an item's raw JSON into its wire shape; what does not fit is an `InvalidItem` that names the field."""
    size = memoryview(item.raw).nbytes
    if size > MAX_ITEM:
        # On its way into rows, events and pages a text is copied a dozen times.
        raise InvalidItem(f"{size:,} bytes: larger than {MAX_ITEM // 2**20} MiB")
    try:
        return decoder.decode(item.raw)
    except UNREADABLE as error:
        raise InvalidItem(str(error)) from error


def id_under(key: str, item: Item) -> str | None:
    """Return what an item has under one key, as an id that can be stored; nothing else of it is decoded."""
    try:
        return identity(_only(key).decode(item.raw).external_id)
    except UNREADABLE:
        return None


@functools.cache
def _only(key: str) -> msgspec.json.Decoder[Any]:
    shape = msgspec.defstruct("Identified", [("external_id", Id, "")], rename={"external_id": key})
    return msgspec.json.Decoder(shape)
