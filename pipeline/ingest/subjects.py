"""What a kind of thing that sources list has to offer, so that `ingest` can store it without knowing what it is."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol, TypeVar

import msgspec
from sqlalchemy import Connection

from pipeline.events.append import NewEvent


class Record(Protocol):
    """One thing as a source lists it, parsed: all that `ingest` reads of it."""

    @property
    def external_id(self) -> str:
        """The id that no other of its kind and service has."""

    @property
    def start_at(self) -> datetime | None:
        """When it starts, where the source says so."""

    @property
    def end_at(self) -> datetime | None:
        """When it ends, where the source says so."""


Record_contra = TypeVar("Record_contra", bound=Record, contravariant=True)


class Stored(msgspec.Struct, frozen=True):
    """What storing did: how many things are new or changed, and the events that makes.

    What is `unsettled`, by external id, must be looked at again even if its bytes stay the same.
    """

    changed: int = 0
    events: Sequence[NewEvent] = ()
    unsettled: frozenset[str] = frozenset()


class Settled(msgspec.Struct, frozen=True):
    """Events of what damping held back, which say how things stand now."""

    events: Sequence[NewEvent]
    silent: bool


class Subjects(Protocol[Record_contra]):
    """One kind of thing that sources list. Every method works inside the caller's transaction."""

    def __init__(self, connection: Connection, service: str) -> None: ...

    def known(self, external_ids: Sequence[str]) -> set[str]:
        """Return those of the ids that are stored already."""

    def load_open(self, external_ids: Sequence[str]) -> Mapping[str, datetime | None]:
        """Return those of the ids that are not over, with the end that the source gave."""

    def store(
        self,
        records: Sequence[Record_contra],
        seen_at: datetime,
        *,
        now: datetime | None = None,
        outranked: Collection[str] = (),
        complete: bool = True,
    ) -> Stored:
        """Store records seen at a time; `now` is later where they come from an old snapshot.

        What is `outranked`, by external id, a better placed source lists too: only its blanks are filled. Records of
        an answer that is not `complete` add and update, but neither end anything nor take anything away.
        """

    def end(self, external_ids: Sequence[str], at: datetime) -> tuple[list[str], list[NewEvent]]:
        """End those whose own end has passed."""

    def withdraw(self, external_ids: Sequence[str], at: datetime) -> tuple[list[str], list[NewEvent]]:
        """Withdraw those that are believed to be gone; returns the ids that need not be looked for any more."""

    def settle_at(self) -> datetime | None:
        """Return when the next change that damping holds back is due; None where none is held back."""

    def settle(self, at: datetime, now: datetime, *, silent: bool) -> Iterator[Settled]:
        """Yield the events of what damping held back until a time; append each lot before the next is taken.

        With `silent` they are silent, but for those that were held back aloud.
        """
