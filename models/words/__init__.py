"""The words of events on feeds, in messages and on the command line, made of an event's kind and its detail. Pure.

Each family of kinds has a file here: a new kind is a row of its table, a new family is a file and a name in
`_FAMILIES`. Where a feed and a message say a thing differently, both sayings stand side by side, named `feed_…` and
`message_…`.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from models.details import CampaignDetail, EventDetail
from models.events import EventKind
from models.words import campaigns, library, operators, quotas, releases, sounds, sources, streams, units
from models.words.kinds import Fact, FamilyWords, KindWords, Written

_FAMILIES: tuple[FamilyWords[Any], ...] = (
    campaigns.WORDS,
    streams.WORDS,
    releases.WORDS,
    library.WORDS,
    sounds.WORDS,
    quotas.WORDS,
    sources.WORDS,
    operators.WORDS,
)
_BY_DETAIL = {family.detail: family for family in _FAMILIES}
KINDS: dict[str, KindWords[Any]] = {kind: words for family in _FAMILIES for kind, words in family.kinds.items()}


def title(kind: EventKind, service: str | None, detail: EventDetail, at: datetime | None = None) -> str:
    """Return the event's headline, one line of plain text with the names as the service wrote them.

    `at` is when the event occurred: what begins later is not said to be on. A kind without words has its own name for
    a headline: the transaction that appends the event must not fail for it.
    """
    words = KINDS.get(kind)
    if isinstance(detail, CampaignDetail) and at and detail.start_at and detail.start_at > at:
        words = campaigns.COMING.get(kind, words)
    if words is None:
        phrase = f"{kind_label(kind)}: {detail.name or ''}"
    else:
        phrase = words.title(detail, units.service_name(service or ""))
    # A name may be missing, and with it what stands behind the dash.
    return " ".join(phrase.split()).removesuffix(" –")


def kind_label(kind: str) -> str:
    """Return a few words for a kind of event; a kind that is new to us reads as its own name."""
    words = KINDS.get(kind)
    return words.label if words else kind.replace(".", " ").replace("_", " ").capitalize()


def counted_kind(kind: str, count: int) -> str:
    """Return how many events of a kind there are: "1 stream live", "2 streams live", "2 campaign.of_tomorrow"."""
    words = KINDS.get(kind)
    if words is None:
        # A kind of a newer version: its own name is still better than nothing.
        return f"{count} {kind}"
    return f"{count} {words.counted[count != 1]}"


def names(detail: EventDetail) -> Iterator[str]:
    """Yield the names of what an event is about: its channel, game and organization."""
    yield from filter(None, _BY_DETAIL[type(detail)].names(detail))


def feed_summary(kind: str, detail: EventDetail) -> Iterator[str]:
    """Yield what a feed's line of plain text says beside the names."""
    yield from filter(None, _BY_DETAIL[type(detail)].feed_summary(kind, detail))


def message_facts(
    kind: str, service: str | None, detail: EventDetail, written: Written = units.moment_in_figures
) -> Iterable[Fact]:
    """Return labels and values of what a message says in single lines, times as `written`; they are not clean yet."""
    return _BY_DETAIL[type(detail)].message_facts(kind, service, detail, written)


def message_note(kind: str, detail: EventDetail, written: Written = units.moment_in_figures) -> str:
    """Return what stands behind an event's title in a message about several, times as `written`, or ""."""
    return _BY_DETAIL[type(detail)].message_note(kind, detail, written)


def link_label(kind: str, detail: EventDetail) -> str:
    """Return what the event's own link is called: "Details", "Watch", "Channel"."""
    return _BY_DETAIL[type(detail)].link_label(kind)
