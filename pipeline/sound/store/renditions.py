"""Renditions as rows: which are wanted, which are due, who has one at hand, and what came of it.

A claim has a lease and a fence. Whoever holds an older fence writes nothing any more. The caller commits.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Connection

from pipeline.sound.records import Loudness, Rendered, Trouble

# It is renewed while the rendering goes on.
LEASE = timedelta(minutes=5)


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """A rendition at hand; `before` is what was measured earlier."""

    id: int
    sound_id: int
    profile: str
    token: str
    fence: int
    attempts: int
    before: Loudness | None = None


def want(connection: Connection, sound_ids: Sequence[int], profile: str, now: datetime, *, anew: bool = False) -> int:
    """See that sounds have a rendition, made at once; returns how many are to be made.

    One that is ready stays, and one that failed stays failed, unless `anew` is asked for.
    """
    raise NotImplementedError


def due(connection: Connection, now: datetime, limit: int = 100) -> Sequence[int]:
    """Return the ids of renditions that are due and that nobody has at hand."""
    raise NotImplementedError


def claim(connection: Connection, rendition_id: int, now: datetime) -> Claim | None:
    """Take a rendition that is due; None where somebody has it, or where there is nothing to do."""
    raise NotImplementedError


def renew(connection: Connection, held: Claim, now: datetime) -> bool:
    """Lengthen a lease; returns False where it was lost, and the work should end."""
    raise NotImplementedError


def note_measured(connection: Connection, held: Claim, before: Loudness) -> bool:
    """Keep what was measured, so that a rendering after a crash begins with it."""
    raise NotImplementedError


def settle(connection: Connection, held: Claim, rendered: Rendered, path: str, now: datetime) -> bool:
    """Keep a rendition that was made; returns False where the claim was lost. `path` is below the data directory."""
    raise NotImplementedError


def put_off(connection: Connection, held: Claim, trouble: Trouble, now: datetime, *, is_passing: bool) -> bool:
    """Keep why it was not made: it is due again later where that may pass, and failed where not, or too often."""
    raise NotImplementedError
