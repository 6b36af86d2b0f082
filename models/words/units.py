"""Say services, times, durations and counts the way people read them; English, UTC, no locale. Pure."""

from datetime import UTC, datetime, timedelta

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SERVICES = {
    "twitch": "Twitch",
    "kick": "Kick",
    "chzzk": "CHZZK",
    "igdb": "IGDB",
    "steam": "Steam",
    "retroachievements": "RetroAchievements",
}


def service_name(service: str) -> str:
    """Return a service's name as it writes it itself; one that is new to us is left as it is."""
    return _SERVICES.get(service, service)


def service_heading(service: str) -> str:
    """Return a service's name as feeds and pages write it: one that is new to us begins with a capital."""
    return _SERVICES.get(service, service.title())


def moment(at: datetime, this_year: int | None = None) -> str:
    """Return a time as feeds and pages write it, such as "Sun 22 Nov 2026, 18:59 UTC".

    The year goes without saying where it is this one.
    """
    at = in_utc(at)
    year = "" if at.year == this_year else f" {at.year}"
    return f"{WEEKDAYS[at.weekday()]} {at.day} {MONTHS[at.month - 1]}{year}, {at.hour:02}:{at.minute:02} UTC"


def moment_in_figures(at: datetime) -> str:
    """Return a time as messages write it, the same in every language: "2026-11-20 18:59 UTC"."""
    return in_utc(at).strftime("%Y-%m-%d %H:%M UTC")


def moment_in_title(at: datetime) -> str:
    """Return a time as headlines write it, without its year: "09 Mar 07:59 UTC"."""
    return f"{in_utc(at):%d %b %H:%M} UTC"


def in_utc(at: datetime) -> datetime:
    """Return a time in UTC, one without a zone is; at the ends of the calendar it is left as it was written."""
    if at.tzinfo is UTC:
        return at
    try:
        return at.replace(tzinfo=at.tzinfo or UTC).astimezone(UTC)
    except OverflowError:
        return at.replace(tzinfo=UTC)


def duration(minutes: int) -> str:
    """Return minutes as "45 min", "2 h" or "2 h 30 min"."""
    hours, rest = divmod(minutes, 60)
    parts = ([f"{hours} h"] if hours else []) + ([f"{rest} min"] if rest or not hours else [])
    return " ".join(parts)


def length(seconds: int) -> str:
    """Return seconds as "less than a minute" or as `duration` says their minutes."""
    return duration(seconds // 60) if seconds >= 60 else "less than a minute"


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


def counted_plainly(number: int, noun: str) -> str:
    """Return a number with its noun as headlines and messages write it, without separators: "1200 days"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
