"""Copy the pictures that feeds and pages show into the published folder, within a limit."""

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path, PurePosixPath

import msgspec
from sqlalchemy import DateTime, Engine, Integer, Interval, Row, bindparam, delete, func, literal, select, update

from feeds.catalog import mark_all
from feeds.pictures import picture_path
from feeds.write import PICTURES, write_file
from models import Picture
from models.due import due
from pipeline.fetch.addresses import PUBLIC, Rules, Unreachable
from pipeline.fetch.guarded import MAX_BYTES, fetch

# Again after 1, 4, 16, 64 and 256 minutes.
TRIES = 6
# A picture that no feed or page has shown for so long may make room for others.
UNWANTED = timedelta(days=30)
# There is no room: look again after this.
POSTPONED = timedelta(hours=1)

_NOW = bindparam("now", type_=DateTime(timezone=True))
_PAUSE = func.power(4, func.least(Picture.attempts, TRIES)).cast(Integer) * literal(timedelta(minutes=1))
_IS_DUE = due(Picture.next_due_at, _NOW, func.greatest(_PAUSE, literal(POSTPONED), type_=Interval()))

_DUE = (
    select(Picture.id)
    .where(_IS_DUE)
    .order_by(Picture.next_due_at, Picture.id)
    .limit(1)
    .with_for_update(skip_locked=True)
    .scalar_subquery()
)
# The attempt is counted before it is made: a picture that kills the worker is not tried again at once.
_CLAIM = (
    update(Picture)
    .where(Picture.id == _DUE)
    .values(
        attempts=Picture.attempts + 1,
        next_due_at=_NOW + _PAUSE,
    )
    .returning(Picture.id, Picture.address, Picture.attempts)
)

# All transactions that lock pictures do so by address, so that none waits for another in a circle.
_UNWANTED = (
    select(Picture.id, Picture.path)
    .where(Picture.last_wanted_at < bindparam("before"))
    .order_by(Picture.address)
    .with_for_update(skip_locked=True)
)
_POSTPONE = (
    update(Picture)
    .where(
        Picture.id.in_(select(Picture.id).where(_IS_DUE).order_by(Picture.address).with_for_update(skip_locked=True))
    )
    .values(next_due_at=bindparam("later"))
)


class Copied(msgspec.Struct, kw_only=True):
    """What a run did; `given_up` gives the reasons, `postponed` counts the pictures without room."""

    copied: int = 0
    failed: int = 0
    given_up: list[str] = msgspec.field(default_factory=list)
    removed: int = 0
    postponed: int = 0


def picture_type(body: bytes) -> str | None:
    """Return the ending of a file of this content: jpg, png, gif or webp; None for all else.

    SVG is none of them: it may hold scripts, which would run as the site's own.
    """
    if body[:4] == b"RIFF" and body[8:12] == b"WEBP":
        return "webp"
    begins = {b"\xff\xd8\xff": "jpg", b"\x89PNG\r\n\x1a\n": "png", b"GIF87a": "gif", b"GIF89a": "gif"}
    return next((ending for magic, ending in begins.items() if body.startswith(magic)), None)


def copy_due(
    engine: Engine,
    root: Path,
    clock: Callable[[], datetime],
    *,
    limit: int,
    within: timedelta,
    rules: Rules = PUBLIC,
) -> Copied:
    """Copy pictures that are due, one after the other, for as long as `within`; `limit` is in bytes for all copies.

    May be killed anywhere and run by several at once. Raises PublishError where the folder cannot be written.
    """
    summary = Copied()
    until = time.monotonic() + within.total_seconds()
    while time.monotonic() < until:
        now = clock()
        if not _has_room(engine, limit):
            summary.removed += _remove_unwanted(engine, root, now)
            if not _has_room(engine, limit):
                summary.postponed = _postpone(engine, now)
                break
        with engine.begin() as connection:
            picture = connection.execute(_CLAIM, {"now": now}).one_or_none()
        if picture is None:
            break
        _copy(engine, root, picture, now, rules, summary)
    return summary


def _copy(
    engine: Engine, root: Path, picture: Row[int, str, int], now: datetime, rules: Rules, summary: Copied
) -> None:
    try:
        ending, body = _fetch(picture.address, rules)
    except Unreachable as error:
        summary.failed += 1
        is_over = error.permanent or picture.attempts >= TRIES
        if is_over:
            summary.given_up.append(f"{picture.address}: {error}")
        _settle(engine, picture.id, {"error": str(error)} | ({"next_due_at": None} if is_over else {}))
        return
    path = picture_path(picture.address, ending)
    write_file(root, path, body)
    done = {"path": path, "size": len(body), "fetched_at": now, "attempts": 0, "next_due_at": None, "error": None}
    _settle(engine, picture.id, done)
    summary.copied += 1


def _fetch(address: str, rules: Rules) -> tuple[str, bytes]:
    body = fetch(address, rules)
    if ending := picture_type(body):
        return ending, body
    raise Unreachable("not a JPEG, PNG, GIF or WebP picture", permanent=True)


def _settle(engine: Engine, picture_id: int, values: dict[str, object]) -> None:
    with engine.begin() as connection:
        connection.execute(update(Picture).where(Picture.id == picture_id).values(**values))


def _has_room(engine: Engine, limit: int) -> bool:
    """Whether even the largest picture would still fit."""
    with engine.connect() as connection:
        used = connection.scalar(select(func.sum(Picture.size)))
    return (used or 0) + MAX_BYTES <= limit


def _remove_unwanted(engine: Engine, root: Path, now: datetime) -> int:
    """Remove copies that no file written lately shows, and have all feeds written without them.

    A picture that an old feed still shows is wanted again when the feed is written, and copied if there is room.
    """
    with engine.begin() as connection:
        rows = connection.execute(_UNWANTED, {"before": now - UNWANTED}).all()
        paths = [row.path for row in rows if row.path]
        # Before the rows: if the worker dies in between, the rows still name the files to remove.
        _unlink(root, paths)
        if rows:
            connection.execute(delete(Picture).where(Picture.id.in_([row.id for row in rows])))
            mark_all(connection)
    return len(paths)


def _unlink(root: Path, paths: Sequence[str]) -> None:
    for path in paths:
        # Also files of another type, from before the address gave this one.
        for file in (root / PICTURES).glob(f"{PurePosixPath(path).stem}.*"):
            file.unlink(missing_ok=True)


def _postpone(engine: Engine, now: datetime) -> int:
    with engine.begin() as connection:
        return connection.execute(_POSTPONE, {"now": now, "later": now + POSTPONED}).rowcount
