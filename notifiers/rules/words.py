"""Writes settings of a target as a rules file has them. Pure."""

from collections.abc import Iterable
from datetime import time
from typing import Any

from notifiers.timing.settings import DAYS, Day, Digest, TargetSettings, Window, read_time

# So many days in a row are a range.
_RANGE = 3


def written(settings: TargetSettings) -> dict[str, Any]:
    """Return the keys of a target's block with their values, without those that are as for every target."""
    usual = written_in_full(TargetSettings())
    return {key: value for key, value in written_in_full(settings).items() if value != usual[key]}


def written_in_full(settings: TargetSettings) -> dict[str, Any]:
    """Return the keys of a target's block with their values; None or an empty list for what is not set."""
    return {
        "quiet": [line for window in settings.quiet for line in _window(window)],
        "digest": digest_line(settings.digest) if settings.digest else None,
        "urgent": list(settings.urgent),
        "burst": _span(settings.burst_seconds),
        "burst_longest": _span(settings.burst_longest_seconds),
        "locale": settings.locale,
        "heartbeat": digest_line(settings.heartbeat) if settings.heartbeat else None,
        "unsubscribe": settings.unsubscribe or None,
        "private": settings.private,
    }


def digest_line(digest: Digest) -> str:
    """Return `hourly at :30`, `daily at 08:00`, `weekly on fri at 18:00`."""
    match digest.every:
        case "hour":
            return f"hourly at :{digest.at.partition(':')[2]}"
        case "week":
            return f"weekly on {digest.day} at {digest.at}"
    return f"daily at {digest.at}"


def _span(seconds: int) -> str:
    """Return `45s`, `5min` or `1h`."""
    for length, unit in ((3600, "h"), (60, "min")):
        if seconds and seconds % length == 0:
            return f"{seconds // length}{unit}"
    return f"{seconds}s"


def _window(window: Window) -> Iterable[str]:
    """Yield the lines for hours: those that older versions took, of a day from another time than midnight, need two."""
    if read_time(window.begins) != read_time(window.ends):
        yield _line(window.begins, window.ends, window.days)
        return
    yield _line(window.begins, "24:00", window.days)
    if read_time(window.ends) != time():
        yield _line("00:00", window.ends, [DAYS[(DAYS.index(day) + 1) % 7] for day in window.days])


def _line(begins: str, ends: str, days: Iterable[Day]) -> str:
    return f"{begins}-{ends} {_days(sorted(map(DAYS.index, days)))}".strip()


def _days(numbers: list[int]) -> str:
    """Return `mon-fri`, or `sat, sun`."""
    is_range = len(numbers) >= _RANGE and numbers == list(range(numbers[0], numbers[-1] + 1))
    names = [DAYS[number] for number in numbers]
    return f"{names[0]}-{names[-1]}" if is_range else ", ".join(names)
