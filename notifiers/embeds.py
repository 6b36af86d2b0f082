"""Makes embeds of events, as Discord shows them: with colours, fields, pictures and times by each reader's clock. Pure.

The numbers are of https://discord.com/developers/docs/resources/message#embed-object-embed-limits. Lengths are counted
in UTF-16, which is never less than what Discord counts.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from models.events import EventKind
from notifiers.escape import clean, cut, escape_markdown
from notifiers.reader import Reader
from notifiers.sizes import Unit, size
from notifiers.view import (
    THUMBNAIL_WIDTH,
    EntryView,
    EventText,
    EventView,
    Extent,
    Fact,
    Group,
    RewardView,
    rest_of,
    view_event,
    view_groups,
)

MOST_EMBEDS, MOST_FIELDS, MOST_IN_ALL = 10, 25, 6000
TITLE_LENGTH, DESCRIPTION_LENGTH, VALUE_LENGTH, FOOTER_LENGTH = 256, 4096, 1024, 2048
# As long a value stands beside others in a row.
SHORT_VALUE = 60

_EXTENTS = (Extent(12, True), *(Extent(items, False) for items in (12, 8, 5, 3, 2, 1, 0)))
_LISTED = (60, 40, 30, 20, 14, 9, 5, 3, 2, 1)
_HOUSE, _STREAMS, _SOON, _GOOD, _BAD, _OVER, _GIFT, _RELEASE = (
    0x5B3FB0,
    0x9146FF,
    0xE67E22,
    0x2ECC71,
    0xE74C3C,
    0x95A5A6,
    0xF1C40F,
    0x3498DB,
)
_COLOURS: dict[str, int] = {
    EventKind.CAMPAIGN_ENDING_SOON: _SOON,
    EventKind.CAMPAIGN_LAST_CHANCE: _BAD,
    EventKind.CAMPAIGN_ENDED: _OVER,
    EventKind.CAMPAIGN_WITHDRAWN: _OVER,
    EventKind.CAMPAIGN_WATCHABLE: _GOOD,
    EventKind.REWARD_ENDED: _OVER,
    EventKind.STREAM_OFFLINE: _OVER,
    EventKind.RELEASE_CANCELLED: _OVER,
    EventKind.SOURCE_RECOVERED: _GOOD,
}
_FAMILIES = {
    "stream": _STREAMS,
    "video": _STREAMS,
    "reward": _GIFT,
    "badge": _GIFT,
    "release": _RELEASE,
    "game": _RELEASE,
    "source": _BAD,
}
# A time on its way through what cleans and escapes; of somebody else's making it becomes a time as well, and no more.
_MARK = re.compile("\ue000(-?[0-9]{1,12})\ue001")


@dataclass(frozen=True)
class _ByEachClock(Reader):
    """A reader for many: Discord shows each of them a time by the own clock, and counts down."""

    def moment(self, at: datetime) -> str:
        """Return the mark of a time."""
        return f"\ue000{int(at.replace(tzinfo=at.tzinfo or UTC).timestamp())}\ue001"


def discord_payload(
    events: Sequence[EventText], title: str, reader: Reader, *, because: str | None, again: str | None
) -> dict[str, Any]:
    """Return what Discord gets of a message: one embed for an event, or one for each game of several events.

    `title` is the message's, `because` says which rules sent it, `again` that it may have come before.
    """
    clock = _ByEachClock(reader.zone, reader.locale, reader.now)
    made = _of_event(events[0], title, clock) if len(events) == 1 else _of_events(events, clock)
    foot = {"footer": {"text": cut(because, FOOTER_LENGTH)}} if because else {}
    for embeds in made:
        embeds[-1] |= foot
        embeds[0]["description"] = "\n\n".join(filter(None, [again, embeds[0].get("description")]))
        if not embeds[0]["description"]:
            del embeds[0]["description"]
        if _fits(embeds):
            break
    # What stands above several embeds is all that a telephone's lock screen shows of them.
    return {"embeds": embeds} | ({"content": f"**{escape_markdown(title)}**"} if len(events) > 1 else {})


def length(embeds: Sequence[dict[str, Any]]) -> int:
    """Return how long embeds are together, as Discord's sum counts them."""
    return sum(_length(text) for embed in embeds for text in _texts(embed))


def _fits(embeds: Sequence[dict[str, Any]]) -> bool:
    descriptions = (embed.get("description", "") for embed in embeds)
    return length(embeds) <= MOST_IN_ALL and all(_length(text) <= DESCRIPTION_LENGTH for text in descriptions)


def _texts(embed: dict[str, Any]) -> Iterator[str]:
    yield embed.get("title", "")
    yield embed.get("description", "")
    yield embed.get("author", {}).get("name", "")
    yield embed.get("footer", {}).get("text", "")
    for field in embed.get("fields", ()):
        yield field["name"]
        yield field["value"]


def _of_event(event: EventText, title: str, reader: Reader) -> Iterator[list[dict[str, Any]]]:
    """Yield ever shorter embeds of an event, down to its headline."""
    embed: dict[str, Any] = {"title": _markdown_within(title, TITLE_LENGTH), "color": _colour(event.kind)}
    for extent in _EXTENTS:
        view = view_event(event, extent, reader)
        embed |= {"author": {"name": view.lead}} if view.lead else {}
        embed |= {"url": view.url} if view.url else {}
        embed |= {"timestamp": event.occurred_at.astimezone(UTC).isoformat()}
        if view.picture:
            embed["image" if view.picture.width == THUMBNAIL_WIDTH else "thumbnail"] = {"url": view.picture.url}
        fields = list(_fields(view))[:MOST_FIELDS]
        yield [embed | {"fields": fields, "description": _markdown(view.description)}]
    yield [embed]


def _fields(view: EventView) -> Iterator[dict[str, Any]]:
    for fact in view.facts:
        yield _field(fact.label, [_markdown(fact.value)], inline=len(fact.value) <= SHORT_VALUE)
    if view.rewards:
        yield _field("Rewards", list(map(_reward, view.rewards)), more=view.more_rewards)
    for section in view.with_rewards_apart().sections:
        yield _field(section.label, [_markdown(item) for item in section.items], more=section.more)
    if view.watch:
        yield _field("Where to watch", list(map(_link, view.watch)), more=view.more_to_watch)
    # The title is the link to the event itself.
    if links := [_link(link) for link in view.links if link.value != view.url]:
        yield _field("Links", links)


def _link(link: Fact) -> str:
    return f"[{_markdown(link.label)}]({link.value})"


def _reward(reward: RewardView) -> str:
    return f"**{_markdown(reward.name)}**" + (f" ({_markdown(reward.note)})" if reward.note else "")


def _field(name: str, lines: Sequence[str], *, more: int = 0, inline: bool = False) -> dict[str, Any]:
    """Return a field with as many of the lines as it takes, each of them whole."""
    value = ""
    for count in range(len(lines), -1, -1):
        left = len(lines) - count + more
        value = "\n".join([*lines[:count], *([f"and {left} more"] if left else [])])
        if _length(value) <= VALUE_LENGTH:
            break
    return {"name": name, "value": value, "inline": inline}


def _of_events(events: Sequence[EventText], reader: Reader) -> Iterator[list[dict[str, Any]]]:
    """Yield ever shorter lists of embeds, one for what is soon over and one for each game."""
    for listed, says_rest in (*((listed, True) for listed in _LISTED), (_LISTED[-1], False)):
        groups = _at_most(view_groups(events, reader, listed))
        embeds = [_of_group(group) for group in groups]
        if more := len(events) - sum(len(group.entries) for group in groups):
            rest = _markdown(rest_of(events, listed)) if says_rest else ""
            embeds[-1]["description"] += f"\nand {more} more{rest}"
        yield embeds


def _at_most(groups: Sequence[Group]) -> Sequence[Group]:
    if len(groups) <= MOST_EMBEDS:
        return groups
    rest = [entry for group in groups[MOST_EMBEDS - 1 :] for entry in group.entries]
    return [*groups[: MOST_EMBEDS - 1], Group("More", tuple(rest))]


def _of_group(group: Group) -> dict[str, Any]:
    return {
        **({"title": _markdown_within(group.heading, TITLE_LENGTH)} if group.heading else {}),
        "color": _SOON if group.is_urgent else _HOUSE,
        "description": "\n".join(map(_line, group.entries)),
    }


def _line(entry: EntryView) -> str:
    title = f"[{_markdown(entry.title)}]({entry.url})" if entry.url else f"**{_markdown(entry.title)}**"
    return f"• {title}" + (f" – {_markdown(entry.note)}" if entry.note else "")


def _colour(kind: str) -> int:
    return _COLOURS.get(kind, _FAMILIES.get(kind.partition(".")[0], _HOUSE))


def _markdown(text: str) -> str:
    """Return clean text as Discord's Markdown shows it, with its times as Discord writes them."""
    return _MARK.sub(r"<t:\1:f> (<t:\1:R>)", escape_markdown(text))


def _markdown_within(text: str, most: int) -> str:
    """Return a text escaped, cut so that it is no longer than that, and never within an escape."""
    for room in range(min(len(text), most), 1, -1):
        if _length(escaped := escape_markdown(cut(text, room))) <= most:
            return escaped
    return escape_markdown(clean(text, 1)) or "Lootwire"


def _length(text: str) -> int:
    return size(text, Unit.UTF16)
