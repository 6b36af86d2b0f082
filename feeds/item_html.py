"""The HTML of an item: written without a template, since a full publish makes it of every event there is. Pure.

Every text goes through `escaped` and every address through `safe_url`, and what comes out is as nh3 would write it: a
test has nh3 clean whatever may come, and nothing may change by that.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

import msgspec

from feeds.content import Item
from feeds.sanitise import escaped, foreign_html, one_line, quoted, safe_url
from models.details import CampaignDetail, DropLine, EventDetail, ReleaseDetail, SeenBefore, StreamDetail
from models.events import EventKind
from models.words import kind_label, link_label
from models.words.addresses import page_channel_address
from models.words.campaigns import allowed, gives_rewards, is_over, requirement, until
from models.words.releases import feed_lines as release_lines
from models.words.streams import feed_categories
from models.words.streams import feed_lines as stream_lines
from models.words.units import counted, moment

DROPS_SHOWN = 30
CHANNELS_SHOWN = 20
BOX_WIDTH, BADGE_WIDTH, STREAM_WIDTH = 144, 72, 320


class Change(msgspec.Struct, frozen=True):
    """A field with its old and its new value as people read them; "" where there was or is none."""

    field: str
    old: str
    new: str


def campaign_html(
    item: Item, detail: CampaignDetail, about: Sequence[str], changes: Sequence[Change], picture: str | None
) -> str:
    """Return what an item of a campaign, a reward or a badge shows."""
    kind = item.kind
    width = BADGE_WIDTH if kind == EventKind.BADGE_ADDED else BOX_WIDTH
    asks = _asked(detail)
    parts = [
        _picture(picture, detail.game or detail.name or "", width),
        _heading(kind, about),
        f"<p>{_text(detail.name)}</p>" if detail.name else "",
        _span(kind, detail),
        _changed(changes, "removed"),
        f"<p>New:</p>{_ladder(detail.drops_added)}" if detail.drops_added else "",
        f"<p>Asks for {asks}.</p>" if asks else "",
        f"<p>Last chance for:</p>{_ladder(detail.drops_ending[:DROPS_SHOWN])}" if detail.drops_ending else "",
        f"<p>To be earned until {moment(detail.drops_end_at)}.</p>" if detail.drops_end_at else "",
        _drops(kind, detail),
        f"<p>On offer before: {_before(detail.seen_before)}.</p>" if detail.seen_before else "",
        "<p>Told late: this was due while nothing ran.</p>" if detail.late else "",
        _came_or_went("added", item.service, detail.channels_added),
        _came_or_went("removed", item.service, detail.channels_removed),
        _counts_on(item, detail),
        _quoted(detail.description),
        _links(
            (link_label(kind, detail), safe_url(detail.url)),
            ("Link your account", safe_url(detail.account_link_url)),
        ),
    ]
    return "".join(parts).rstrip()


def stream_html(
    item: Item,
    detail: StreamDetail,
    about: Sequence[str],
    changes: Sequence[Change],
    picture: str | None,
    page_url: str | None,
) -> str:
    """Return what an item of a stream or a video shows; `page_url` is the page of its channel."""
    kind = item.kind
    categories = feed_categories(detail)
    parts = [
        _picture(picture, "", BOX_WIDTH if kind == EventKind.STREAM_OFFLINE else STREAM_WIDTH),
        _heading(kind, about),
        f"<p>{_text(detail.name)}</p>" if detail.name and kind != EventKind.STREAM_TITLE_CHANGED else "",
        _changed(changes, "none"),
        *_paragraphs(stream_lines(detail)),
        f"<ul>{''.join(f'<li>{_text(category)}</li>' for category in categories)}</ul>" if categories else "",
        _links((link_label(kind, detail), safe_url(detail.url)), ("Streams and statistics", safe_url(page_url))),
    ]
    return "".join(parts).rstrip()


def release_html(item: Item, detail: EventDetail, about: Sequence[str], picture: str | None) -> str:
    """Return what an item of a release, of a game, or of a family that has nothing of its own shows."""
    lines = release_lines(item.kind, detail) if isinstance(detail, ReleaseDetail) else ()
    parts = [
        _picture(picture, detail.game or "", BOX_WIDTH),
        _heading(item.kind, about),
        f"<p>{_text(detail.name)}</p>" if detail.name else "",
        *_paragraphs(lines),
        f"<blockquote>{_text(detail.description)}</blockquote>" if detail.description else "",
        _links((link_label(item.kind, detail), safe_url(detail.url))),
    ]
    return "".join(parts).rstrip()


def label(kind: str) -> str:
    """Return a kind in a few words, which are never none: a reader refuses a feed whose entry has no title."""
    return one_line(kind_label(kind)) or "News"


def _text(text: str | None, limit: int = 300) -> str:
    return escaped(one_line(text or "", limit))


def _picture(url: str | None, alt: str, width: int) -> str:
    return f'<p><img src="{quoted(url)}" alt="{quoted(one_line(alt, 120))}" width="{width}"></p>' if url else ""


def _link(url: str, text: str) -> str:
    return f'<a href="{quoted(url)}" rel="noopener noreferrer">{text}</a>'


def _links(*links: tuple[str, str | None]) -> str:
    written = " · ".join(_link(url, escaped(text)) for text, url in links if url)
    return f"<p>{written}</p>" if written else ""


def _heading(kind: str, about: Sequence[str]) -> str:
    return f"<p><b>{escaped(label(kind))}</b>{''.join(f' · {escaped(name)}' for name in about)}</p> "


def _paragraphs(lines: Iterable[str]) -> Iterator[str]:
    return (f"<p>{_text(line)}</p>" for line in lines)


def _quoted(description: str | None) -> str:
    return f"<blockquote>{' '.join(str.split(foreign_html(description)))}</blockquote>" if description else ""


def _span(kind: str, detail: CampaignDetail) -> str:
    end = f"{until(kind)} {moment(detail.end_at)}" if detail.end_at else ""
    if not detail.start_at:
        return f"<p>{end[:1].upper()}{end[1:]}</p>" if end else ""
    comma = "" if not end else " " if end.startswith("until") else ", "
    return f"<p>From {moment(detail.start_at)}{comma}{end}</p>"


def _changed(changes: Sequence[Change], nothing: str) -> str:
    if not changes:
        return ""
    lines = (
        f"<li>{escaped(change.field)}: {f'<s>{escaped(change.old)}</s> → ' if change.old else ''}"
        f"{escaped(change.new) or nothing}</li>"
        for change in changes
    )
    return f"<ul>{''.join(lines)}</ul>"


def _asked(of: DropLine | CampaignDetail) -> str:
    return requirement(of.required_minutes, of.required_subs, of.required_turbo_subs)


def _drops(kind: str, detail: CampaignDetail) -> str:
    if not detail.drops:
        return ""
    more = len(detail.drops) - DROPS_SHOWN
    ellipsis = f"<p>… and {more} more.</p>" if more > 0 else ""
    return f"<p>{_drops_label(kind, detail)}:</p>{_ladder(detail.drops[:DROPS_SHOWN])} {ellipsis}"


def _drops_label(kind: str, detail: CampaignDetail) -> str:
    if gives_rewards(kind):
        return "Rewards"
    return "All drops" if detail.drops_added or detail.drops_ending else "Drops"


def _ladder(drops: Sequence[DropLine]) -> str:
    return f"<ul> {''.join(map(_step, drops))}</ul>"


# The events of a campaign repeat its drops.
@lru_cache(maxsize=2048)
def _step(drop: DropLine) -> str:
    asks = _asked(drop)
    dash = " – " if drop.benefits or drop.name else ""
    given = ", ".join(_benefit(benefit.name, benefit.image_url) for benefit in drop.benefits)
    return f"<li>{f'<b>{asks}</b>{dash}' if asks else ''}{given or _text(drop.name, 120)} </li> "


def _benefit(name: str | None, image_url: str | None) -> str:
    url = safe_url(image_url)
    image = f'<img src="{quoted(url)}" alt="" width="40" height="40"> ' if url else ""
    return f"{image}{_text(name, 120) if name else 'a reward'}"


def _before(lines: Sequence[SeenBefore]) -> str:
    return "; ".join(
        f"{_text(line.benefit, 120)} in {_text(line.campaign, 120)}"
        f"{f' until {moment(line.until)}' if line.until else ''}"
        for line in lines[:DROPS_SHOWN]
    )


@lru_cache(maxsize=4096)
def _channel(service: str | None, name: str) -> str:
    url = page_channel_address(service, name)
    return _link(url, _text(name, 60)) if url else _text(name, 60)


def _channels(service: str | None, names: Sequence[str]) -> str:
    return ", ".join(_channel(service, name) for name in names[:CHANNELS_SHOWN])


def _came_or_went(how: str, service: str | None, names: Sequence[str]) -> str:
    if not names:
        return ""
    more = len(names) - CHANNELS_SHOWN
    return f"<p>Channels {how}: {_channels(service, names)}{f' and {more} more' if more > 0 else ''}</p>"


def _counts_on(item: Item, detail: CampaignDetail) -> str:
    # An event about one channel has no news of the others.
    if item.kind == EventKind.CAMPAIGN_WATCHABLE:
        return ""
    counts = "Counted" if is_over(item.kind) else "Counts"
    names, total = allowed(detail)
    if total:
        ellipsis = " …" if total > CHANNELS_SHOWN else ""
        listed = f": {_channels(item.service, names)}{ellipsis}" if names else ""
        return f"<p>{counts} on {counted(total, 'channel')}{listed}</p> "
    if not item.kind.startswith("campaign."):
        return ""
    if detail.channels_removed:
        return "<p>Counts on every channel with drops in this category now.</p> "
    return "" if detail.channels_added else f"<p>{counts} on every channel with drops in this category.</p>"
