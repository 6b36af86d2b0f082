"""Say times, durations, kinds and services the way people read them; English, UTC, no locale."""

from datetime import UTC, datetime, timedelta

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SERVICES = {"twitch": "Twitch", "kick": "Kick", "chzzk": "CHZZK", "igdb": "IGDB"}
_KINDS = {
    "campaign.added": "New campaign",
    "campaign.started": "Now live",
    "campaign.changed": "Campaign changed",
    "campaign.drop_added": "New drop",
    "campaign.channels_changed": "Channels changed",
    "campaign.ending_soon": "Ending soon",
    "campaign.last_chance": "Last chance",
    "campaign.ended": "Campaign ended",
    "campaign.withdrawn": "Campaign withdrawn",
    "campaign.returned": "Campaign is back",
    "campaign.watchable": "Watch now",
    "reward.added": "New reward",
    "reward.ended": "Reward ended",
    "badge.added": "New chat badge",
    "stream.online": "Live",
    "stream.offline": "Stream over",
    "stream.title_changed": "New title",
    "stream.category_changed": "New category",
    "video.published": "New video",
    "release.announced": "Release announced",
    "release.precised": "Date made precise",
    "release.moved": "Release moved",
    "release.out": "Out now",
    "release.cancelled": "Release cancelled",
    "game.added": "New game",
}
_FIELDS = {
    "start_at": "Start",
    "end_at": "End",
    "details_url": "Details",
    "account_link_url": "Account link",
    "image_url": "Picture",
    "box_art_url": "Box art",
    "required_minutes": "Minutes to watch",
    "required_subs": "Subscriptions",
    "drop": "Drop",
    "title": "Title",
    "category": "Category",
}


def service_name(service: str) -> str:
    """Return a service's name as it writes it itself."""
    return _SERVICES.get(service, service.title())


def kind_label(kind: str) -> str:
    """Return a few words for a kind of event; a kind that is new to us reads as its own name."""
    return _KINDS.get(kind, kind.replace(".", " ").replace("_", " ").capitalize())


def field_label(field: str) -> str:
    """Return the name of a field as a list of changes shows it."""
    return _FIELDS.get(field, field.replace("_", " ").capitalize())


def moment(at: datetime, this_year: int | None = None) -> str:
    """Return a time such as "Sun 22 Nov 2026, 18:59 UTC"; the year goes without saying where it is this one."""
    at = at.replace(tzinfo=at.tzinfo or UTC).astimezone(UTC)
    year = "" if at.year == this_year else f" {at.year}"
    return f"{_DAYS[at.weekday()]} {at.day} {_MONTHS[at.month - 1]}{year}, {at:%H:%M} UTC"


def duration(minutes: int) -> str:
    """Return minutes as "45 min", "2 h" or "2 h 30 min"."""
    hours, rest = divmod(minutes, 60)
    parts = ([f"{hours} h"] if hours else []) + ([f"{rest} min"] if rest or not hours else [])
    return " ".join(parts)


def distance(span: timedelta) -> str:
    """Return roughly how long a span is: "less than an hour", "17 hours", "3 days"."""
    hours = int(span.total_seconds() // 3600)
    if hours < 1:
        return "less than an hour"
    if hours < 48:
        return counted(hours, "hour")
    return counted(hours // 24, "day")


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural where it takes one: "1 drop", "1,200 channels"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def requirement(minutes: int | None, subs: int | None) -> str:
    """Return what a drop asks for: "30 min", "2 subs", both, or "" where nothing is known."""
    parts = ([duration(minutes)] if minutes else []) + ([counted(subs, "sub")] if subs else [])
    return " + ".join(parts)
