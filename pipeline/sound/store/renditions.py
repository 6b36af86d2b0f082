"""Renditions as rows: which are wanted, which are due, who has one at hand, and what came of it.

A claim has a lease and a fence. Whoever holds an older fence writes nothing any more. The caller commits.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection, and_, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.elements import ColumnElement

from models import Rendition, Sound
from models.due import due as is_due
from models.due import holds
from pipeline.sound.records import Loudness, Rendered, Trouble

# It is renewed while the rendering goes on.
LEASE = timedelta(minutes=5)
# After a passing trouble: the first pause, which doubles up to the longest, and how often it is tried in all.
PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=1)
# The head of a file says its length that well, where it is right; encoders add some milliseconds.
SECONDS_OFF = 0.5
MOST_ATTEMPTS = 8


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """A rendition at hand; `before` is what was measured earlier, of it or of another profile's of the same sound."""

    id: int
    sound_id: int
    profile: str
    token: str
    fence: int
    attempts: int
    before: Loudness | None = None


def want(connection: Connection, sound_ids: Sequence[int], profile: str, now: datetime, *, anew: bool = False) -> int:
    """See that sounds have a rendition, made at once; returns how many are to be made.

    One that is ready stays, and one that failed stays failed, unless `anew` is asked for. Until the new one is made the
    old one stays what feeds have. Whoever has one at hand that is wanted anew loses it.
    """
    if not sound_ids:
        return 0
    rows = [{"sound_id": sound_id, "profile": profile, "next_due_at": now} for sound_id in sorted(set(sound_ids))]
    statement = insert(Rendition).values(rows)
    if not anew:
        added = statement.on_conflict_do_nothing().returning(Rendition.id)
        return len(connection.scalars(added).all())
    values = {
        "state": "pending",
        "next_due_at": now,
        "attempts": 0,
        "error": None,
        "lease_until": None,
        "lease_token": None,
        "fence": Rendition.fence + 1,
        # The original may be another one by now, and the measuring better.
        "integrated_before": None,
        "true_peak_before": None,
        "range_before": None,
        "threshold_before": None,
    }
    changed = statement.on_conflict_do_update(index_elements=["sound_id", "profile"], set_=values)
    return len(connection.scalars(changed.returning(Rendition.id)).all())


def due(connection: Connection, now: datetime, limit: int = 100) -> Sequence[int]:
    """Return the ids of renditions that are due and that nobody has at hand, those that wait longest first."""
    query = select(Rendition.id).join(Sound).where(_is_claimable(now), Sound.removed_at.is_(None))
    return connection.scalars(query.order_by(Rendition.next_due_at, Rendition.id).limit(limit)).all()


def claim(connection: Connection, rendition_id: int, now: datetime) -> Claim | None:
    """Take a rendition that is due; None where somebody has it, or where there is nothing to do."""
    free = (
        select(Rendition.id)
        .where(Rendition.id == rendition_id, _is_claimable(now))
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    values = {
        "state": "rendering",
        "attempts": Rendition.attempts + 1,
        "fence": Rendition.fence + 1,
        "lease_until": now + LEASE,
        "lease_token": str(uuid.uuid4()),
    }
    row = connection.execute(
        update(Rendition).where(Rendition.id == free).values(values).returning(*_CLAIMED, *_BEFORE)
    ).one_or_none()
    if row is None:
        return None
    before = _loudness(row) or _measured_elsewhere(connection, row.sound_id)
    return Claim(
        id=row.id,
        sound_id=row.sound_id,
        profile=row.profile,
        token=row.lease_token,
        fence=row.fence,
        attempts=row.attempts,
        before=before,
    )


def renew(connection: Connection, held: Claim, now: datetime) -> bool:
    """Lengthen a lease; returns False where it was lost, and the work should end."""
    return _write(connection, held, {"lease_until": now + LEASE})


def note_measured(connection: Connection, held: Claim, before: Loudness, seconds: float) -> bool:
    """Keep what was measured, so that a rendering after a crash begins with it; returns False where it was lost.

    `seconds` are those that were decoded: the head of a file knows less, as that of a stream put together of parts.
    """
    is_wrong = func.abs(func.coalesce(Sound.seconds, 0.0) - seconds) > SECONDS_OFF
    is_kept = _write(connection, held, _columns(before, "before"))
    if is_kept and seconds > 0:
        connection.execute(update(Sound).where(Sound.id == held.sound_id, is_wrong).values(seconds=seconds))
    return is_kept


def settle(connection: Connection, held: Claim, rendered: Rendered, path: str, now: datetime) -> bool:
    """Keep a rendition that was made; returns False where the claim was lost. `path` is below the data directory."""
    values = {
        "state": "ready",
        "mode": rendered.mode,
        "codec": rendered.codec,
        "bitrate": rendered.kbps,
        "path": path,
        "size": rendered.size,
        "digest": rendered.digest,
        "seconds": rendered.seconds,
        "note": rendered.note,
        "error": None,
        "attempts": 0,
        "lease_until": None,
        "lease_token": None,
        "rendered_at": now,
        **_columns(rendered.before, "before"),
        **_columns(rendered.after, "after"),
    }
    # Of the result the threshold says nothing that anybody wants.
    return _write(connection, held, {name: value for name, value in values.items() if name != "threshold_after"})


def put_off(connection: Connection, held: Claim, trouble: Trouble, now: datetime, *, is_passing: bool) -> bool:
    """Keep why it was not made: it is due again later where that may pass, and failed where not, or too often.

    Returns False where the claim was lost.
    """
    is_given_up = not is_passing or held.attempts >= MOST_ATTEMPTS
    pause = min(PAUSE * 2 ** min(held.attempts - 1, 10), LONGEST_PAUSE)
    values = {
        "state": "failed" if is_given_up else "pending",
        "error": trouble.sentence,
        "next_due_at": now + pause,
        "lease_until": None,
        "lease_token": None,
    }
    return _write(connection, held, values)


def release(connection: Connection, held: Claim, now: datetime) -> bool:
    """Give a claim back as if it had not been, because the process ends; returns False where it was lost."""
    values = {"state": "pending", "next_due_at": now, "lease_until": None, "lease_token": None}
    return _write(connection, held, values | {"attempts": Rendition.attempts - 1})


def _is_claimable(now: datetime) -> ColumnElement[bool]:
    is_left = and_(Rendition.state == "rendering", ~func.coalesce(holds(Rendition.lease_until, now, LEASE), False))
    return or_(and_(Rendition.state == "pending", is_due(Rendition.next_due_at, now, LONGEST_PAUSE)), is_left)


def _write(connection: Connection, held: Claim, values: dict[str, Any]) -> bool:
    is_ours = and_(
        Rendition.id == held.id,
        Rendition.fence == held.fence,
        Rendition.lease_token == held.token,
        Rendition.state == "rendering",
    )
    return connection.execute(update(Rendition).where(is_ours).values(values)).rowcount == 1


def _measured_elsewhere(connection: Connection, sound_id: int) -> Loudness | None:
    """Return what was measured for another profile: the original is the same."""
    is_measured = and_(Rendition.sound_id == sound_id, Rendition.integrated_before.is_not(None))
    row = connection.execute(select(*_BEFORE).where(is_measured).limit(1)).one_or_none()
    return None if row is None else _loudness(row)


def _loudness(row: Any) -> Loudness | None:
    if row.integrated_before is None:
        return None
    return Loudness(
        integrated=row.integrated_before,
        true_peak=row.true_peak_before,
        range=row.range_before,
        threshold=row.threshold_before,
    )


def _columns(loudness: Loudness | None, moment: str) -> dict[str, float | None]:
    fields = Loudness.__struct_fields__
    return {f"{field}_{moment}": None if loudness is None else getattr(loudness, field) for field in fields}


_CLAIMED = (
    Rendition.id,
    Rendition.sound_id,
    Rendition.profile,
    Rendition.lease_token,
    Rendition.fence,
    Rendition.attempts,
)
_BEFORE = (
    Rendition.integrated_before,
    Rendition.true_peak_before,
    Rendition.range_before,
    Rendition.threshold_before,
)
