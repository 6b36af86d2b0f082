"""Says times and durations as people write them, the same in every language; pure functions."""

from datetime import UTC, datetime


def moment(time: datetime) -> str:
    """Return a time in UTC: "2026-11-20 18:59 UTC"."""
    return time.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def duration(seconds: int) -> str:
    """Return seconds as "less than a minute", "45 min", "2 h" or "2 h 30 min"."""
    hours, minutes = divmod(seconds // 60, 60)
    parts = ([f"{hours} h"] if hours else []) + ([f"{minutes} min"] if minutes else [])
    return " ".join(parts) or "less than a minute"
