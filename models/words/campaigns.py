"""The words of drop campaigns, reward campaigns and chat badges. Pure."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from models.details import CampaignDetail, DropLine, FieldChange
from models.events import EventKind
from models.words.fields import field_words
from models.words.kinds import Fact, FamilyWords, KindWords
from models.words.units import (
    counted,
    counted_plainly,
    duration,
    moment,
    moment_in_figures,
    moment_in_title,
    service_name,
)

DROPS_NAMED = 4

KINDS: dict[EventKind, KindWords[CampaignDetail]] = {
    EventKind.CAMPAIGN_ADDED: KindWords(
        "New campaign",
        ("new campaign", "new campaigns"),
        lambda detail, service: f"New drops on {service} – {_about(detail)}",
    ),
    EventKind.CAMPAIGN_STARTED: KindWords(
        "Now live",
        ("campaign started", "campaigns started"),
        lambda detail, service: f"Drops started on {service} – {_about(detail)}",
    ),
    EventKind.CAMPAIGN_CHANGED: KindWords(
        "Campaign changed",
        ("campaign changed", "campaigns changed"),
        lambda detail, service: f"Changed on {service} – {_about(detail)} ({_what_changed(detail.changes)})",
    ),
    EventKind.CAMPAIGN_DROP_ADDED: KindWords(
        "New drop",
        ("campaign with new drops", "campaigns with new drops"),
        lambda detail, service: (
            f"{counted_plainly(len(detail.drops_added), 'more drop')} on {service} – {_about(detail)}"
        ),
    ),
    EventKind.CAMPAIGN_CHANNELS_CHANGED: KindWords(
        "Channels changed",
        ("campaign with other channels", "campaigns with other channels"),
        lambda detail, service: f"Channels changed on {service} – {_about(detail)} ({_came_and_went(detail)})",
    ),
    EventKind.CAMPAIGN_ENDING_SOON: KindWords(
        "Ending soon",
        ("campaign ending soon", "campaigns ending soon"),
        lambda detail, service: f"{_what_ends(detail)} {_at(_end(detail))} on {service} – {_about(detail)}",
    ),
    EventKind.CAMPAIGN_LAST_CHANCE: KindWords(
        "Last chance",
        ("last chance", "last chances"),
        lambda detail, service: f"{_what_to_start(detail)} {_at(_end(detail))} on {service} – {_about(detail)}",
    ),
    EventKind.CAMPAIGN_ENDED: KindWords(
        "Campaign ended",
        ("campaign ended", "campaigns ended"),
        lambda detail, service: f"Drops ended on {service} – {_about(detail)}",
    ),
    EventKind.CAMPAIGN_WITHDRAWN: KindWords(
        "Campaign withdrawn",
        ("campaign withdrawn", "campaigns withdrawn"),
        lambda detail, service: f"Withdrawn before its end on {service} – {_about(detail)}",
    ),
    EventKind.CAMPAIGN_RETURNED: KindWords(
        "Listed again",
        ("campaign listed again", "campaigns listed again"),
        lambda detail, service: f"Is listed again on {service} – {_about(detail)}",
    ),
    EventKind.CAMPAIGN_WATCHABLE: KindWords(
        "Watch now",
        ("campaign to earn now", "campaigns to earn now"),
        lambda detail, _service: f"Watch {_channel(detail) or 'now'} for drops – {_about(detail)}",
    ),
    EventKind.REWARD_ADDED: KindWords(
        "New reward",
        ("new reward campaign", "new reward campaigns"),
        lambda detail, service: f"New reward on {service} – {_about(detail)}",
    ),
    EventKind.REWARD_ENDED: KindWords(
        "Reward ended",
        ("reward campaign ended", "reward campaigns ended"),
        lambda detail, service: f"Reward ended on {service} – {_about(detail)}",
    ),
    EventKind.BADGE_ADDED: KindWords(
        "New chat badge",
        ("new chat badge", "new chat badges"),
        lambda detail, service: f"New chat badge on {service} – {detail.name or ''}",
    ),
}


def requirement(minutes: int | None, subs: int | None, turbo: int | None = None) -> str:
    """Return what a drop asks for as feeds and pages say it: "30 min", "2 subs", both, or "" where nothing is known."""
    parts = [duration(minutes)] if minutes else []
    parts += [counted(subs, "sub")] if subs else []
    parts += [counted(turbo, "Turbo sub")] if turbo else []
    return " + ".join(parts)


def requirement_at_length(minutes: int | None, subs: int | None, turbo: int | None = None) -> str:
    """Return what a drop asks for as messages say it: "240 min = 4 h", "2 subscriptions", both, or ""."""
    parts = []
    if minutes:
        hours = f" = {minutes / 60:g} h" if minutes >= 120 and minutes % 30 == 0 else ""
        parts.append(f"{minutes} min{hours}")
    if subs:
        parts.append(counted_plainly(subs, "subscription"))
    if turbo:
        parts.append(counted_plainly(turbo, "Turbo subscription"))
    return " and ".join(parts)


def last_chance_for(detail: CampaignDetail) -> str:
    """Return the drops that a last chance is about, with what each asks for, or "" where it is about all of them."""
    shown = [_drop_with_requirement(drop) for drop in detail.drops_ending[:DROPS_NAMED]]
    more = len(detail.drops_ending) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _names(detail: CampaignDetail) -> tuple[str | None, ...]:
    return _channel(detail), detail.game, detail.organization


def _feed_summary(kind: str, detail: CampaignDetail) -> Iterator[str]:
    if kind == EventKind.BADGE_ADDED:
        yield detail.description or ""
    yield last_chance_for(detail) or _asks(detail)
    if end_at := _end(detail):
        yield f"until {moment(end_at)}"


def _asks(detail: CampaignDetail) -> str:
    if not detail.drops:
        return duration(detail.required_minutes) if detail.required_minutes else ""
    minutes = [drop.required_minutes for drop in detail.drops if drop.required_minutes]
    longest = f", up to {duration(max(minutes))}" if minutes else ""
    return counted(len(detail.drops), "drop") + longest


def _message_facts(_kind: str, service: str | None, detail: CampaignDetail) -> Iterator[Fact]:
    yield "Channel", _channel(detail)
    yield "Game", detail.game
    yield "By", detail.organization
    yield "On", service and service_name(service)
    yield "Starts", moment_in_figures(detail.start_at) if detail.start_at else None
    yield "Ends", moment_in_figures(detail.end_at) if detail.end_at else None
    yield "Last chance for", last_chance_for(detail)
    yield "To be earned until", moment_in_figures(detail.drops_end_at) if detail.drops_end_at else None
    asks_for = requirement_at_length(detail.required_minutes, detail.required_subs, detail.required_turbo_subs)
    yield "Asks for", asks_for
    yield "Late", "this was due while nothing ran" if detail.late else None


def _message_note(kind: str, detail: CampaignDetail) -> str:
    # The title of an end already says it.
    end_at = _end(detail)
    return f"ends {moment_in_figures(end_at)}" if end_at and kind != EventKind.CAMPAIGN_ENDED else ""


def _link_label(kind: str) -> str:
    return "Watch" if kind == EventKind.CAMPAIGN_WATCHABLE else "Details"


def _about(detail: CampaignDetail) -> str:
    name = detail.name or ""
    return f"{detail.game}: {name}" if detail.game and detail.game != name else name


def _end(detail: CampaignDetail) -> datetime | None:
    """Return the end that the event is about: that of some drops, or else the campaign's."""
    return detail.drops_end_at or detail.end_at


def _what_ends(detail: CampaignDetail) -> str:
    return "Last drops end" if detail.drops_end_at else "Ends"


def _what_to_start(detail: CampaignDetail) -> str:
    drops = detail.drops_ending
    if not drops:
        return "Start now, ends"
    return f"Start now: {_drop_name(drops[0]) if len(drops) == 1 else counted_plainly(len(drops), 'drop')}, until"


def _drop_name(drop: DropLine) -> str:
    return drop.name or ", ".join(benefit.name for benefit in drop.benefits if benefit.name) or "a drop"


def _drop_with_requirement(drop: DropLine) -> str:
    asks = requirement_at_length(drop.required_minutes, drop.required_subs)
    return f"{_drop_name(drop)} ({asks})" if asks else _drop_name(drop)


def _channel(detail: CampaignDetail) -> str | None:
    return detail.channel or detail.channel_login


def _what_changed(changes: Sequence[FieldChange]) -> str:
    if len(changes) == 1 and changes[0].field == "end_at" and changes[0].about is None:
        return f"now ends {_at(datetime.fromisoformat(str(changes[0].new)))}"
    return ", ".join(dict.fromkeys(field_words(change.field).in_title for change in changes))


def _at(time: datetime | None) -> str:
    return moment_in_title(time) if time else "soon"


def _came_and_went(detail: CampaignDetail) -> str:
    parts = [(len(detail.channels_added), "added"), (len(detail.channels_removed), "removed")]
    return ", ".join(f"{count} {word}" for count, word in parts if count)


WORDS = FamilyWords(
    detail=CampaignDetail,
    kinds=KINDS,
    names=_names,
    feed_summary=_feed_summary,
    message_facts=_message_facts,
    message_note=_message_note,
    link_label=_link_label,
)
