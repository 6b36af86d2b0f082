"""Put an event into words: what its detail says and the one line that heads a message, a feed item or a table row."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from feeds.words import duration
from models.events import BenefitLine, DropLine, EventDetail, EventKind, FieldChange
from pipeline.catalogue_records import ChannelRecord
from pipeline.igdb.phrases import release_title
from pipeline.records import CampaignRecord, DropRecord, RewardCampaignRecord
from pipeline.streams.records import BadgeRecord

SERVICE_NAMES = {"twitch": "Twitch", "kick": "Kick", "chzzk": "CHZZK", "igdb": "IGDB"}
CHANNELS_SHOWN = 12
# A description is a paragraph; a few services let it run to pages.
DESCRIPTION_LENGTH = 1000
FIELD_NAMES = {
    "end_at": "end",
    "start_at": "start",
    "details_url": "details link",
    "account_link_url": "account link",
    "required_minutes": "minutes",
    "required_subs": "subscriptions",
    "drop": "a drop removed",
}


def campaign_detail(campaign: CampaignRecord) -> EventDetail:
    """Return what every event of a campaign shows of it."""
    channels = campaign.channels or ()
    return EventDetail(
        name=campaign.name,
        url=campaign.details_url,
        account_link_url=campaign.account_link_url,
        image_url=campaign.image_url,
        box_art_url=campaign.game.box_art_url if campaign.game else None,
        game=campaign.game.name if campaign.game else None,
        organization=campaign.organization.name if campaign.organization else None,
        description=(campaign.description or "")[:DESCRIPTION_LENGTH] or None,
        start_at=campaign.start_at,
        end_at=campaign.end_at,
        drops=drop_lines(campaign.drops or ()),
        channels_total=len(channels),
        channels=channel_names(channels)[:CHANNELS_SHOWN],
    )


def reward_detail(campaign: RewardCampaignRecord) -> EventDetail:
    """Return what every event of a reward campaign shows of it."""
    rewards = (BenefitLine(name=reward.name, image_url=reward.image_url) for reward in campaign.rewards)
    return EventDetail(
        name=campaign.name,
        url=campaign.about_url or campaign.external_url,
        image_url=campaign.image_url,
        game=campaign.game.name if campaign.game else None,
        organization=campaign.brand,
        description=(campaign.summary or "")[:DESCRIPTION_LENGTH] or None,
        start_at=campaign.start_at,
        end_at=campaign.end_at,
        required_minutes=campaign.required_minutes,
        required_subs=campaign.required_subs,
        drops=(DropLine(benefits=tuple(rewards)),) if campaign.rewards else (),
    )


def drop_lines(drops: Sequence[DropRecord]) -> tuple[DropLine, ...]:
    """Return drops as a message lists them: what comes first is earned first."""
    ordered = sorted(drops, key=lambda drop: (drop.required_minutes or 0, drop.required_subs or 0, drop.external_id))
    return tuple(
        DropLine(
            name=drop.name,
            required_minutes=drop.required_minutes,
            required_subs=drop.required_subs,
            benefits=tuple(
                BenefitLine(name=b.name, image_url=b.image_url, distribution_type=b.distribution_type)
                for b in drop.benefits
            ),
        )
        for drop in ordered
    )


def channel_names(channels: Sequence[ChannelRecord]) -> tuple[str, ...]:
    """Return the channels' logins, which are what their addresses are made of."""
    return tuple(channel.login for channel in channels)


def badge_detail(badge: BadgeRecord) -> EventDetail:
    """Return what the event of a chat badge shows of it."""
    return EventDetail(
        name=badge.title,
        url=badge.click_url,
        image_url=badge.image_url,
        # Many describe themselves by their title once more.
        description=badge.description if badge.description != badge.title else None,
    )


def title(kind: EventKind, service: str | None, detail: EventDetail) -> str:
    """Return the event's headline, one line of plain text with the names as the service wrote them."""
    if kind.family in {"stream", "video"}:
        phrase = _of_streams(kind, detail)
    elif kind.family in {"release", "game"}:
        phrase = release_title(kind, detail)
    else:
        phrase = _of_others(kind, service, detail)
    return " ".join(phrase.split())


def _of_others(kind: EventKind, service: str | None, detail: EventDetail) -> str:
    where = SERVICE_NAMES.get(service or "", service or "")
    name = detail.name or ""
    about = f"{detail.game}: {name}" if detail.game and detail.game != name else name
    phrases = {
        EventKind.CAMPAIGN_ADDED: f"New drops on {where} – {about}",
        EventKind.CAMPAIGN_STARTED: f"Drops started on {where} – {about}",
        EventKind.CAMPAIGN_CHANGED: f"Changed on {where} – {about} ({_what_changed(detail.changes)})",
        EventKind.CAMPAIGN_DROP_ADDED: f"{_count(len(detail.drops_added), 'more drop')} on {where} – {about}",
        EventKind.CAMPAIGN_CHANNELS_CHANGED: f"Channels changed on {where} – {about} ({_came_and_went(detail)})",
        EventKind.CAMPAIGN_ENDING_SOON: f"Ends {_at(detail.end_at)} on {where} – {about}",
        EventKind.CAMPAIGN_LAST_CHANCE: f"Start now, ends {_at(detail.end_at)} on {where} – {about}",
        EventKind.CAMPAIGN_ENDED: f"Drops ended on {where} – {about}",
        EventKind.CAMPAIGN_WITHDRAWN: f"Withdrawn before its end on {where} – {about}",
        EventKind.CAMPAIGN_RETURNED: f"Back on {where} – {about}",
        EventKind.CAMPAIGN_WATCHABLE: f"Watch {_who(detail) or 'now'} for drops – {about}",
        EventKind.REWARD_ADDED: f"New reward on {where} – {about}",
        EventKind.REWARD_ENDED: f"Reward ended on {where} – {about}",
        EventKind.BADGE_ADDED: f"New chat badge on {where} – {name}",
        EventKind.SOURCE_FAILING: f"Source {name} is failing: {detail.reason}",
        EventKind.SOURCE_STALE: f"Source {name} is stale: {detail.reason}",
        EventKind.SOURCE_RECOVERED: f"Source {name} works again",
        EventKind.SOURCE_CHANGED: f"Source {name} sent something unexpected: {detail.reason}",
    }
    return phrases[kind]


def _of_streams(kind: EventKind, detail: EventDetail) -> str:
    who, name = _who(detail), detail.name or ""
    phrases = {
        EventKind.STREAM_ONLINE: _joined(": ", f"{who or 'A channel'} is live", _joined(" – ", detail.game, name)),
        EventKind.STREAM_OFFLINE: f"{who or name} went offline{_lasted(detail)}",
        EventKind.STREAM_TITLE_CHANGED: _joined(": ", f"{who or 'A channel'} changed the title", name),
        EventKind.STREAM_CATEGORY_CHANGED: f"{who or name} {_moved(detail)}",
        EventKind.VIDEO_PUBLISHED: _joined(" – ", f"New video of {who}" if who else "New video", name)
        + _length(detail.seconds),
    }
    return phrases[kind]


def _who(detail: EventDetail) -> str | None:
    return detail.channel or detail.channel_login


def _joined(separator: str, first: str | None, second: str | None) -> str:
    """Return both, or the second alone where it says the first already: "Rust" and "Rust, day 3"."""
    if not first or not second:
        return first or second or ""
    says_so = re.search(rf"(?<!\w){re.escape(first)}(?!\w)", second, re.IGNORECASE)
    return second if says_so else f"{first}{separator}{second}"


def _moved(detail: EventDetail) -> str:
    old = next((change.old for change in detail.changes), None)
    if old and detail.game:
        return f"went from {old} to {detail.game}"
    return f"is now in {detail.game}" if detail.game else f"is in no category now{f', after {old}' if old else ''}"


def _lasted(detail: EventDetail) -> str:
    if detail.recap is None:
        return ""
    minutes = detail.recap.seconds // 60
    return f" after {duration(minutes)}" if minutes else " after less than a minute"


def _length(seconds: int | None) -> str:
    return f" ({duration(seconds // 60)})" if seconds and seconds >= 60 else ""


def _what_changed(changes: Sequence[FieldChange]) -> str:
    if len(changes) == 1 and changes[0].field == "end_at" and changes[0].about is None:
        return f"now ends {_at(datetime.fromisoformat(str(changes[0].new)))}"
    names = dict.fromkeys(FIELD_NAMES.get(change.field, change.field) for change in changes)
    return ", ".join(names)


def _at(time: datetime | None) -> str:
    return f"{time.astimezone(UTC):%d %b %H:%M} UTC" if time else "soon"


def _came_and_went(detail: EventDetail) -> str:
    parts = [(len(detail.channels_added), "added"), (len(detail.channels_removed), "removed")]
    return ", ".join(f"{count} {word}" for count, word in parts if count)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
