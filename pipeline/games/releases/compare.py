"""Compare the release dates of a game before and after it was asked for. Pure: values in, values out.

docs/decisions/0010-release-dates.md says what counts as announced, made precise, moved and cancelled.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

import msgspec

from models.events import EventKind
from models.periods import Period
from models.release_numbers import CANCELLED, OFFLINE, STAGES, WORLDWIDE
from models.release_numbers import period_of as period
from pipeline.games.records import StoredRelease
from pipeline.services.igdb.records import ReleaseRecord

# Editors delete a row and write it anew: a row that is gone for less than this counts as listed.
GONE_FOR = timedelta(hours=24)
# A move by more is a delay.
DELAY_DAYS = 7
# A day is over everywhere when it is over at UTC-12.
LAST_ZONE = timedelta(hours=-12)

Place = tuple[int | None, int | None]


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A change of one release date. `old` is None where it is new, `new` where it is cancelled.

    `replaced` is IGDB's id of the row whose place it took, if there was one.
    """

    kind: EventKind
    release: ReleaseRecord
    old: Period | None = None
    new: Period | None = None
    replaced: int | None = None


class Group(msgspec.Struct, frozen=True):
    """Release dates with the same change: one event shows them together."""

    kind: EventKind
    stage: str | None
    old: Period | None
    new: Period | None


def compare(before: Iterable[StoredRelease], after: Iterable[StoredRelease], now: datetime) -> tuple[Change, ...]:
    """Return the news of a game's release dates, by platform and region, in the order of their ids.

    Rows are the same while IGDB's id is; a new row on a platform and in a region that just lost one continues that one.
    A date that is over everywhere is no news, nor is one that just vanished: `is_withdrawn` judges that later.
    """
    known = {stored.release.igdb_id: stored for stored in before if _counts(stored, now)}
    listed = {stored.release.igdb_id: stored.release for stored in after if stored.last_seen_at is None}
    today = (now + LAST_ZONE).date()
    changes = []
    heirs = _heirs(known, listed)
    for key, release in sorted(listed.items()):
        if release.status == OFFLINE:
            continue
        was = known.get(key) or known.get(heirs.get(key, key))
        change = _change(was.release, release, today) if was else _news(release, today)
        if change is not None:
            changes.append(msgspec.structs.replace(change, replaced=heirs.get(key)))
    return tuple(changes)


def period_of(release: ReleaseRecord) -> Period:
    """Return the period in which a release lies: never a day where IGDB only means its quarter."""
    return period(release.precision, release.date, release.year, release.quarter, release.month)


def days_between(old: Period, new: Period) -> int | None:
    """Return by how many days the end of a period moved; None where one of them has no end."""
    return None if old.last is None or new.last is None else (new.last - old.last).days


def is_delay(old: Period, new: Period) -> bool:
    """Whether a move is a delay: by more than a week, or to a date that is not known."""
    days = days_between(old, new)
    return days > DELAY_DAYS if days is not None else new.last is None


def is_over(period: Period, today: date) -> bool:
    """Whether a period ended before a day."""
    return period.last is not None and period.last < today


def is_withdrawn(gone: StoredRelease, others: Iterable[StoredRelease], now: datetime) -> bool:
    """Whether a release date that has been gone for long enough means that the release is off.

    It does not where it was over or cancelled, nor where its platform still has a date, in whichever region.
    """
    release = gone.release
    if release.status in {OFFLINE, CANCELLED} or is_over(period_of(release), (now + LAST_ZONE).date()):
        return False
    return all(other.last_seen_at is not None or other.release.platform_id != release.platform_id for other in others)


def stage_of(release: ReleaseRecord) -> str | None:
    """Return the stage that comes out, where it is not the finished game."""
    return STAGES.get(release.status) if release.status is not None else None


def place_of(release: ReleaseRecord) -> Place:
    """Return the platform and the region of a release date, worldwide and no region being one."""
    return release.platform_id, None if release.region == WORLDWIDE else release.region


def item_of(release: ReleaseRecord) -> str:
    """Return the name of what a release date says: its platform, its region and its stage."""
    return "/".join("" if part is None else str(part) for part in (*place_of(release), stage_of(release)))


def stated(release: ReleaseRecord) -> Period | None:
    """Return when a listed release comes out; None where it is off."""
    return None if release.status in {OFFLINE, CANCELLED} else period_of(release)


def since_announced(release: ReleaseRecord, announced: Period | None, now: Period | None) -> Group | None:
    """Return the change from what was announced last to what is so now; None where they are the same."""
    if announced == now:
        return None
    if now is None:
        kind = EventKind.RELEASE_CANCELLED
    elif announced is None:
        kind = EventKind.RELEASE_ANNOUNCED
    else:
        kind = _moved(announced, now)
    return Group(kind, stage_of(release), announced, now)


def grouped(changes: Iterable[Change]) -> dict[Group, list[Change]]:
    """Return the changes by their groups, each of which becomes one event."""
    groups: dict[Group, list[Change]] = {}
    for change in changes:
        groups.setdefault(Group(change.kind, stage_of(change.release), change.old, change.new), []).append(change)
    return groups


def _counts(stored: StoredRelease, now: datetime) -> bool:
    return stored.last_seen_at is None or now - stored.last_seen_at < GONE_FOR


def _heirs(known: dict[int, StoredRelease], listed: dict[int, ReleaseRecord]) -> dict[int, int]:
    """Return the known rows, no longer listed, that new rows continue: their ids by the new rows' ids."""
    standing = {
        place_of(stored.release) for key, stored in known.items() if stored.last_seen_at is None and key in listed
    }
    free: dict[Place, list[int]] = {}
    for key, stored in sorted(known.items()):
        # A row that was gone before has a successor by now, if another row stood in its place.
        stood = stored.last_seen_at is None or place_of(stored.release) not in standing
        if key not in listed and stood:
            free.setdefault(place_of(stored.release), []).append(key)
    heirs = {}
    for key, release in sorted(listed.items()):
        left = free.get(place_of(release))
        if key not in known and left:
            heirs[key] = _nearest(release, left, known)
            left.remove(heirs[key])
    return heirs


def _nearest(release: ReleaseRecord, keys: Sequence[int], known: dict[int, StoredRelease]) -> int:
    return min(keys, key=lambda key: (stage_of(known[key].release) != stage_of(release), key))


def _news(release: ReleaseRecord, today: date) -> Change | None:
    period = period_of(release)
    if is_over(period, today):
        return None
    if release.status == CANCELLED:
        return Change(kind=EventKind.RELEASE_CANCELLED, release=release, old=period)
    return Change(kind=EventKind.RELEASE_ANNOUNCED, release=release, new=period)


def _change(was: ReleaseRecord, release: ReleaseRecord, today: date) -> Change | None:
    if was.status in {OFFLINE, CANCELLED}:
        return None if release.status == CANCELLED else _news(release, today)
    old, new = period_of(was), period_of(release)
    if release.status == CANCELLED:
        return None if is_over(old, today) else Change(kind=EventKind.RELEASE_CANCELLED, release=release, old=old)
    if old == new or _is_history(old, new, today):
        return None
    return Change(kind=_moved(old, new), release=release, old=old, new=new)


def _moved(old: Period, new: Period) -> EventKind:
    return EventKind.RELEASE_PRECISED if old.holds(new) else EventKind.RELEASE_MOVED


def _is_history(old: Period, new: Period, today: date) -> bool:
    """Whether the change only corrects a date that has passed: the other one, if it is known, has passed as well."""
    over = {is_over(period, today) for period in (old, new) if period.last is not None}
    return over == {True}
