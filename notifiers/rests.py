"""Reads for how long a service wants to be left alone. Pure."""

import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

LONGEST_REST = timedelta(days=1)


def asked_rest(status: int, headers: Mapping[str, str], document: Mapping[str, Any], now: datetime) -> timedelta | None:
    """Return the rest that an answer over HTTP asks for, a day at most; None if it asks for none.

    `headers` takes names in any case; `document` is the answer's JSON. An answer that is no refusal asks for a rest
    only by saying that nothing is left of its limit.
    """
    is_refused = not 200 <= status < 300
    is_used_up = _number(headers.get("X-RateLimit-Remaining")) == 0
    # Discord's bucket: https://discord.com/developers/docs/topics/rate-limits. Its other two may be milliseconds.
    if (is_refused or is_used_up) and (after := _seconds(headers.get("X-RateLimit-Reset-After"))):
        return after
    if not is_refused:
        return None
    return max(filter(None, (_retry_after(headers, now), *_written(document))), default=None)


def is_for_all(status: int, headers: Mapping[str, str], document: Mapping[str, Any]) -> bool:
    """Return whether a refusal concerns all that we send to the service, as Discord says of its global limit.

    https://discord.com/developers/docs/topics/rate-limits#exceeding-a-rate-limit
    """
    said = headers.get("X-RateLimit-Global", "").lower() == "true" or headers.get("X-RateLimit-Scope") == "global"
    return status == 429 and (said or document.get("global") is True)


def _written(document: Mapping[str, Any]) -> Iterable[timedelta | None]:
    """Yield what JSON says: Discord's, Telegram's and Matrix's fields."""
    yield _seconds(document.get("retry_after"))
    parameters = document.get("parameters")
    if isinstance(parameters, dict):
        yield _seconds(parameters.get("retry_after"))
    milliseconds = _number(document.get("retry_after_ms"))
    yield _seconds(milliseconds / 1000 if milliseconds is not None else None)


def _retry_after(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """Return the rest of RFC 9110, 10.2.3: seconds or a date, which the service means by its own clock."""
    text = headers.get("Retry-After")
    until = _date(text) if _number(text) is None else None
    if until is None:
        # A proxy may have added its own; requests joins them.
        return max(filter(None, map(_seconds, (text or "").split(","))), default=None)
    return _seconds((until - (_date(headers.get("Date")) or now)).total_seconds())


def _date(text: str | None) -> datetime | None:
    try:
        date = parsedate_to_datetime(text or "")
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def _seconds(value: Any) -> timedelta | None:
    number = _number(value)
    if number is None or number <= 0:
        return None
    return timedelta(seconds=min(number, LONGEST_REST.total_seconds()))


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return None if math.isnan(number) else number
