"""Reads from an answer's headers when it was sent. Pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime


def sent_at(headers: Mapping[str, str]) -> datetime | None:
    """Return when an answer was sent by its `Date`, and later by its `Age` where a cache kept it; None without one.

    `headers` takes names in any case. RFC 9110, 6.6.1, and RFC 9111, 5.1.
    """
    try:
        date = parsedate_to_datetime(headers.get("Date", ""))
        # HTTP's dates are in UTC, and say so; one without a zone is no date of HTTP.
        return date + timedelta(seconds=int(headers.get("Age", 0))) if date.tzinfo else None
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
