"""The words that each kind of event and each family of kinds must have. Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from models.details import EventDetail
from models.events import EventKind

D = TypeVar("D", bound=EventDetail)
# A label and its value, which is not clean yet; without a value it is left out.
Fact = tuple[str, str | None]
# How a time is written for whoever reads it.
Written = Callable[[datetime], str]


@dataclass(frozen=True)
class KindWords(Generic[D]):
    """The words of a kind: its label on feeds, what a message counts (one, several), and its headline.

    `title` takes the detail and the service's name, and may break its line where a name does.
    """

    label: str
    counted: tuple[str, str]
    title: Callable[[D, str], str]


@dataclass(frozen=True, kw_only=True)
class FamilyWords(Generic[D]):
    """The words of a family: a row for each of its kinds, and what feeds and messages say of all of them.

    `names` are those of what an event is about, `feed_summary` is what else a feed's line of plain text says,
    `message_facts` are a message's lines, `message_note` stands behind the title in a list of several events, both with
    times as `written`; `link_label` is what the event's link is called.
    """

    detail: type[D]
    kinds: Mapping[EventKind, KindWords[D]]
    names: Callable[[D], Iterable[str | None]]
    feed_summary: Callable[[str, D], Iterable[str]]
    message_facts: Callable[[str, str | None, D, Written], Iterable[Fact]]
    message_note: Callable[[str, D, Written], str] = lambda _kind, _detail, _written: ""
    link_label: Callable[[str], str] = lambda _kind: "Details"
