"""How changes of release dates are put together, and told from what was announced last."""

import pytest

from models.events import EventKind
from models.periods import Period
from models.release_numbers import CANCELLED
from pipeline.games.releases.compare import Change, grouped, item_of, since_announced, stated
from pipeline.services.igdb.records import ReleaseRecord

MAY, JUNE, YEAR = Period(2031, month=5), Period(2031, month=6), Period(2031)


def release(igdb_id: int = 1, *, platform: int | None = 6, status: int | None = None) -> ReleaseRecord:
    return ReleaseRecord(igdb_id, platform, None, status, "month", None, 2031, None, 5)


@pytest.mark.parametrize(
    ("announced", "now", "kind"),
    [
        (None, MAY, EventKind.RELEASE_ANNOUNCED),
        (MAY, None, EventKind.RELEASE_CANCELLED),
        (MAY, JUNE, EventKind.RELEASE_MOVED),
        (YEAR, MAY, EventKind.RELEASE_PRECISED),
    ],
)
def test_what_is_told_later_begins_at_what_was_announced(
    announced: Period | None, now: Period | None, kind: EventKind
) -> None:
    group = since_announced(release(), announced, now)

    assert group is not None
    assert (group.kind, group.old, group.new) == (kind, announced, now)


def test_what_is_as_announced_is_no_news() -> None:
    assert since_announced(release(), MAY, MAY) is None


def test_a_cancelled_release_states_nothing() -> None:
    assert stated(release()) == MAY
    assert stated(release(status=CANCELLED)) is None


def test_an_item_is_named_by_platform_region_and_stage() -> None:
    assert item_of(release()) == "6//"
    assert item_of(release(platform=None, status=3)) == "//early access"


def test_the_same_change_on_several_platforms_is_one_group() -> None:
    moved = [Change(kind=EventKind.RELEASE_MOVED, release=release(n, platform=n), old=MAY, new=JUNE) for n in (1, 2)]
    added = Change(kind=EventKind.RELEASE_ANNOUNCED, release=release(3), new=MAY)

    assert list(grouped([*moved, added]).values()) == [moved, [added]]
