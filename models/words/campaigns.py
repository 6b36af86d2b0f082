"""The words of drop campaigns, reward campaigns and chat badges. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from models.details import CampaignDetail, DropLine, FieldChange
from models.events import EventKind
from models.words.fields import field_words
from models.words.kinds import Fact, FamilyWords, KindWords, Written
from models.words.units import (
    counted,
    counted_plainly,
    duration,
    moment,
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
# What is announced before it begins has a headline of its own.
COMING: dict[EventKind, KindWords[CampaignDetail]] = {
    EventKind.CAMPAIGN_ADDED: replace(
        KINDS[EventKind.CAMPAIGN_ADDED],
        title=lambda detail, service: f"Coming drops on {service}, starting {_at(detail.start_at)} – {_about(detail)}",
    ),
    EventKind.REWARD_ADDED: replace(
        KINDS[EventKind.REWARD_ADDED],
        title=lambda detail, service: f"Coming reward on {service}, starting {_at(detail.start_at)} – {_about(detail)}",
    ),
}
_OVER = frozenset({EventKind.CAMPAIGN_ENDED, EventKind.REWARD_ENDED})
# Their headlines say when it ends or ended, or that it will not come to that.
_HEADED_BY_END = _OVER | {EventKind.CAMPAIGN_ENDING_SOON, EventKind.CAMPAIGN_LAST_CHANCE, EventKind.CAMPAIGN_WITHDRAWN}


def gives_rewards(kind: str) -> bool:
    """Whether what a campaign gives are rewards of its own, with no drops between."""
    return kind in {EventKind.REWARD_ADDED, EventKind.REWARD_ENDED}


def is_over(kind: str) -> bool:
    """Whether an event says that nothing counts any more."""
    return kind in _OVER or kind == EventKind.CAMPAIGN_WITHDRAWN


def until(kind: str) -> str:
    """Return what stands before a campaign's end on feeds: one that was withdrawn does not come to it."""
    return "was to end" if kind == EventKind.CAMPAIGN_WITHDRAWN else "until"


class Allowed(NamedTuple):
    """The channels on which a campaign counts, the first few by name; a total of 0 stands for every channel."""

    names: tuple[str, ...]
    total: int


def allowed(detail: CampaignDetail) -> Allowed:
    """Return the channels on which a campaign counts, without those that the event says are no longer named."""
    gone = frozenset(detail.channels_removed)
    names = tuple(name for name in detail.channels if name not in gone)
    # Older events counted channels that were gone: they took a list that became empty for one that did not come.
    counted_gone = len(gone) if len(names) < len(detail.channels) else 0
    return Allowed(names, max(detail.channels_total - counted_gone, len(names)))


def names_none(detail: CampaignDetail) -> bool:
    """Whether a campaign counts on every channel of its game."""
    return allowed(detail).total == 0 and not detail.channels_added


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
    yield last_chance_for(detail) or _asks(kind, detail)
    if end_at := _end(detail):
        yield f"{until(kind)} {moment(end_at)}"


def _asks(kind: str, detail: CampaignDetail) -> str:
    if gives_rewards(kind):
        given = sum(len(drop.benefits) for drop in detail.drops)
        asks = requirement(detail.required_minutes, detail.required_subs, detail.required_turbo_subs)
        return ", ".join(([counted(given, "reward")] if given else []) + ([asks] if asks else []))
    if not detail.drops:
        return duration(detail.required_minutes) if detail.required_minutes else ""
    minutes = [drop.required_minutes for drop in detail.drops if drop.required_minutes]
    longest = f", up to {duration(max(minutes))}" if minutes else ""
    return counted(len(detail.drops), "drop") + longest


def _message_facts(kind: str, service: str | None, detail: CampaignDetail, written: Written) -> Iterator[Fact]:
    yield "Channel", _channel(detail)
    yield "Game", detail.game
    yield "By", detail.organization
    yield "On", service and service_name(service)
    end = "Was to end" if kind == EventKind.CAMPAIGN_WITHDRAWN else "Ended" if kind in _OVER else "Ends"
    yield "Started" if kind in _OVER else "Starts", written(detail.start_at) if detail.start_at else None
    yield end, written(detail.end_at) if detail.end_at else None
    yield "Last chance for", last_chance_for(detail)
    yield "To be earned until", written(detail.drops_end_at) if detail.drops_end_at else None
    asks_for = requirement_at_length(detail.required_minutes, detail.required_subs, detail.required_turbo_subs)
    yield "Asks for", asks_for
    missing = requirement_at_length(detail.missing_minutes, None)
    yield "Missing", f"{missing} to watch" if missing else None
    yield "Account", "not linked: nothing is earned before it is" if detail.needs_link else None
    yield "Late", "this was due while nothing ran" if detail.late else None


def _message_note(kind: str, detail: CampaignDetail, written: Written) -> str:
    end_at = _end(detail)
    is_said = end_at is None or kind in _HEADED_BY_END or _new_end(detail.changes)
    missing = requirement_at_length(detail.missing_minutes, None)
    notes = ["" if is_said or end_at is None else f"ends {written(end_at)}"]
    notes += [f"{missing} missing" if missing else "", "account not linked" if detail.needs_link else ""]
    return ", ".join(filter(None, notes))


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
    asks = requirement_at_length(drop.required_minutes, drop.required_subs, drop.required_turbo_subs)
    return f"{_drop_name(drop)} ({asks})" if asks else _drop_name(drop)


def _channel(detail: CampaignDetail) -> str | None:
    return detail.channel or detail.channel_login


def _what_changed(changes: Sequence[FieldChange]) -> str:
    if end_at := _new_end(changes):
        return f"now ends {_at(end_at)}"
    return ", ".join(dict.fromkeys(field_words(change.field).in_title for change in changes))


def _new_end(changes: Sequence[FieldChange]) -> datetime | None:
    """Return the end that a headline says, where it is all that changed."""
    if len(changes) != 1 or changes[0].field != "end_at" or changes[0].about is not None:
        return None
    try:
        return datetime.fromisoformat(str(changes[0].new))
    except ValueError:
        return None


def _at(time: datetime | None) -> str:
    return moment_in_title(time) if time else "soon"


def _came_and_went(detail: CampaignDetail) -> str:
    counts = [(len(detail.channels_added), "added"), (len(detail.channels_removed), "removed")]
    parts = [f"{count} {word}" for count, word in counts if count]
    return ", ".join([*parts, "every channel counts now"] if detail.channels_removed and names_none(detail) else parts)


WORDS = FamilyWords(
    detail=CampaignDetail,
    kinds=KINDS,
    names=_names,
    feed_summary=_feed_summary,
    message_facts=_message_facts,
    message_note=_message_note,
    link_label=_link_label,
)
