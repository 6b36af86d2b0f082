"""Decide how far a snapshot may be believed. Pure: values in, a verdict out.

The figures come from 21 months of hourly history: five answers were `[]` for an hour and came back, and 399 held
groups whose list was empty and came back.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Literal

import msgspec

# An empty answer is believed only when hardly anything was open anyway.
MOST_OPEN_FOR_AN_EMPTY_ANSWER = 3
SHRUNKEN_SHARE = 0.30
SHRUNKEN_AT_LEAST = 5
INVALID_SHARE = 0.05
# Absence must be seen in this many snapshots, each at least this long after the one counted before.
ABSENCES_TO_BELIEVE = 3
BETWEEN_ABSENCES = timedelta(minutes=30)
# The same for a channel list that became empty.
EMPTY_LISTS_TO_BELIEVE = 3


class OpenItem(msgspec.Struct, frozen=True):
    """One thing that a source listed and that is not judged gone; `end_at` is the source's own."""

    group_id: str | None
    end_at: datetime | None


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What may be done with a snapshot.

    `sound`: everything; `absent` are the ids it shows to be gone. `partial`: add and update, never remove.
    `suspect`: nothing; keep it aside for `reason` (`empty`, `shrunken`) and look again. A verdict without a reason
    is no surprise to report: the service itself says that its answer came in part.
    """

    outcome: Literal["sound", "partial", "suspect"]
    reason: str | None = None
    detail: str | None = None
    absent: frozenset[str] = frozenset()


def judge(
    known: Mapping[str, OpenItem],
    seen: Collection[str],
    *,
    taken_at: datetime,
    scope: frozenset[str] | None,
    empty_groups: frozenset[str],
    invalid: int,
    complete: bool = True,
) -> Verdict:
    """Judge a snapshot that lists `seen` against the open items known from the same source.

    `scope` None means that the answer claims to list everything; `invalid` counts items that could not be read;
    an answer is not `complete` where the service gave a part of it only.
    """
    total = len(seen) + invalid
    if invalid and invalid > INVALID_SHARE * total:
        detail = f"{invalid} of {total} items could not be read"
        return Verdict(outcome="partial", reason="too_many_invalid", detail=detail)
    if not complete:
        return Verdict(outcome="partial")
    if scope is None and not seen and len(known) > MOST_OPEN_FOR_AN_EMPTY_ANSWER:
        return Verdict(outcome="suspect", reason="empty", detail=f"the answer was empty while {len(known)} were open")
    absent = {
        key: item
        for key, item in known.items()
        if key not in seen and (scope is None or key in scope) and item.group_id not in empty_groups
    }
    vanished = sum(1 for item in absent.values() if item.end_at is None or item.end_at > taken_at)
    if vanished > SHRUNKEN_AT_LEAST and vanished > SHRUNKEN_SHARE * len(known):
        detail = f"{vanished} of {len(known)} open ones were missing before their end"
        return Verdict(outcome="suspect", reason="shrunken", detail=detail)
    return Verdict(outcome="sound", absent=frozenset(absent))


def count_absence(count: int, counted_at: datetime | None, taken_at: datetime) -> int:
    """Return how often an absent item has now been missed; absences too close together count once."""
    if count and counted_at is not None and taken_at - counted_at < BETWEEN_ABSENCES:
        return count
    return count + 1
