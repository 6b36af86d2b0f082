"""Decide how far a snapshot may be believed. Pure: values in, a verdict out.

The figures come from 21 months of hourly history: five answers were `[]` for an hour and came back, and 399 held
groups whose list was empty and came back.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Literal

import msgspec

# An empty answer is believed at once only when hardly anything was open anyway.
MOST_OPEN_FOR_AN_EMPTY_ANSWER = 3
SHRUNKEN_SHARE = 0.30
SHRUNKEN_AT_LEAST = 5
INVALID_SHARE = 0.05
# A channel list that became empty is believed when so many snapshots in a row had it so.
EMPTY_LISTS_TO_BELIEVE = 3


class OpenItem(msgspec.Struct, frozen=True):
    """One thing that a source listed and that is not judged gone; `end_at` is the source's own.

    What is `missed` has been missing for a while by answers that were believed: that it is missing still is no news.
    """

    group_id: str | None
    end_at: datetime | None
    missed: bool = False


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What may be done with a snapshot. Whatever it is, what the snapshot lists is added and updated.

    `sound`: everything; `absent` are the ids it shows to be gone. `partial`: never remove. `suspect`: so much is
    missing at once for `reason` (`empty`, `shrunken`) that it is believed only when it stays so; `absent` are the ids
    that are doubted to be gone, of a shrunken answer those before their end. A verdict without a reason is no surprise
    to report: the service itself says that its answer came in part.
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
    total: int,
    complete: bool = True,
) -> Verdict:
    """Judge a snapshot that lists `seen` against the open items known from the same source.

    `scope` None means that the answer claims to list everything; `invalid` counts those of its `total` items that
    could not be read; an answer is not `complete` where the service gave a part of it only.
    """
    if invalid > INVALID_SHARE * total:
        detail = f"{invalid} of {total} items could not be read"
        return Verdict(outcome="partial", reason="too_many_invalid", detail=detail)
    if not complete:
        return Verdict(outcome="partial")
    expected = sum(1 for item in known.values() if not item.missed)
    if scope is None and not seen and expected > MOST_OPEN_FOR_AN_EMPTY_ANSWER:
        # Groups without lists are no better than no groups.
        detail = f"the answer was empty while {expected} were open"
        missing = frozenset(key for key, item in known.items() if not item.missed)
        return Verdict(outcome="suspect", reason="empty", detail=detail, absent=missing)
    absent = {
        key: item
        for key, item in known.items()
        if key not in seen and (scope is None or key in scope) and item.group_id not in empty_groups
    }
    vanished = _vanished(absent, taken_at)
    if len(vanished) > SHRUNKEN_AT_LEAST and len(vanished) > SHRUNKEN_SHARE * expected:
        detail = f"{len(vanished)} of {expected} open ones were missing before their end"
        return Verdict(outcome="suspect", reason="shrunken", detail=detail, absent=vanished)
    return Verdict(outcome="sound", absent=frozenset(absent))


def _vanished(absent: Mapping[str, OpenItem], at: datetime) -> frozenset[str]:
    """Return what is missing before its end and was listed until lately."""
    return frozenset(
        key for key, item in absent.items() if not item.missed and (item.end_at is None or item.end_at > at)
    )
