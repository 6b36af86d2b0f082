"""Say an event in one line of a page: its kind, its headline, what changed, and the page that it leads to. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache

import msgspec

from feeds.content import Item
from feeds.item import changes_of, headline
from feeds.item_html import Change
from feeds.sanitise import one_line, safe_url
from models.details import CampaignDetail, DropLine, StreamDetail
from models.words import feed_summary, kind_label
from models.words.campaigns import until
from models.words.units import service_heading

NOTE_LENGTH = 200
NAMED = 6
# Of the other kinds the end is past, or what changed.
_WITH_END = frozenset(
    {
        "campaign.added",
        "campaign.started",
        "campaign.ending_soon",
        "campaign.returned",
        "campaign.withdrawn",
        "reward.added",
    }
)
# The headline says it.
_SAID = frozenset({"stream.title_changed", "stream.category_changed"})


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """An event in a line; `path` is the page that it leads to, `url` what it links where there is none."""

    at: datetime
    kind: str
    family: str
    label: str
    title: str
    note: str = ""
    until: str = ""
    end_at: datetime | None = None
    changes: tuple[Change, ...] = ()
    path: str | None = None
    url: str | None = None
    picture: str | None = None


def lines(items: Iterable[Item], paths: Mapping[str, str]) -> tuple[Line, ...]:
    """Return the lines of events; `paths` are those of the pages that they lead to, by event key."""
    return tuple(_line(item, paths.get(item.event_key) or item.page) for item in items)


def by_day(of: Sequence[Line]) -> list[tuple[date, list[Line]]]:
    """Return lines under their days in UTC, in the order in which they come."""
    days: dict[date, list[Line]] = {}
    for line in of:
        days.setdefault(line.at.astimezone(UTC).date(), []).append(line)
    return list(days.items())


def _line(item: Item, path: str | None) -> Line:
    detail = item.detail
    is_campaign = isinstance(detail, CampaignDetail)
    changes = changes_of(detail.changes) if isinstance(detail, CampaignDetail | StreamDetail) else ()
    note = _note(item)
    before_end, end_at = _until(item)
    return Line(
        at=item.occurred_at,
        kind=item.kind,
        family=item.kind.partition(".")[0],
        label=_label(item.kind),
        title=_short(item),
        # What changed is said by the changes.
        note="" if changes and is_campaign else note,
        until=before_end,
        end_at=end_at,
        changes=changes,
        path=path,
        url=None if path else safe_url(detail.url),
        picture=safe_url(detail.box_art_url),
    )


def _note(item: Item) -> str:
    """Return what stands behind an event's headline: what is new of it, where it has changed in parts."""
    if item.kind in _SAID:
        return ""
    detail = item.detail
    if isinstance(detail, CampaignDetail):
        parts = list(_came_and_went(detail))
        # Its end is a time of its own in the line.
        return one_line(" · ".join(parts or feed_summary(item.kind, _without_end(detail))), NOTE_LENGTH)
    return one_line(" · ".join(feed_summary(item.kind, detail)), NOTE_LENGTH)


def _without_end(detail: CampaignDetail) -> CampaignDetail:
    return msgspec.structs.replace(detail, end_at=None)


def _until(item: Item) -> tuple[str, datetime | None]:
    detail = item.detail
    if not isinstance(detail, CampaignDetail) or item.kind not in _WITH_END:
        return "", None
    return until(item.kind), detail.end_at and detail.end_at.astimezone(UTC)


def _came_and_went(detail: CampaignDetail) -> Iterator[str]:
    if detail.drops_added:
        yield f"new: {_some([_gift(drop) for drop in detail.drops_added])}"
    if detail.channels_added:
        yield f"added {_some(detail.channels_added)}"
    if detail.channels_removed:
        yield f"removed {_some(detail.channels_removed)}"


def _gift(drop: DropLine) -> str:
    return ", ".join(benefit.name for benefit in drop.benefits if benefit.name) or drop.name or "a drop"


def _some(names: Sequence[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(one_line(name, 40) for name in names[:NAMED]) + (f" and {more} more" if more > 0 else "")


def _short(item: Item) -> str:
    """Return the headline without what the kind's label says already: "Rust: Winter Trawl" of a campaign."""
    detail = item.detail
    if isinstance(detail, CampaignDetail) and (detail.name or detail.game):
        about = [name for name in (detail.game, detail.name) if name]
        service = f" on {service_heading(item.service)}" if item.service else ""
        return one_line(": ".join(dict.fromkeys(about)) + service)
    return headline(item)


@lru_cache(maxsize=128)
def _label(kind: str) -> str:
    return one_line(kind_label(kind)) or "News"
