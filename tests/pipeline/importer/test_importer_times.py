"""The name of a file gives the time at which its payload was taken."""

from datetime import UTC, datetime

import pytest

from models.errors import LootwireError
from pipeline.importer.times import time_parser

EXACT = {
    "2025-09-20T010448Z.json": datetime(2025, 9, 20, 1, 4, 48, tzinfo=UTC),
    "drops_2025-09-20T01:04:48Z.json.gz": datetime(2025, 9, 20, 1, 4, 48, tzinfo=UTC),
    "2026-08-21_00-26-05.json": datetime(2026, 8, 21, 0, 26, 5, tzinfo=UTC),
    "00_2026-08-21T002605.json.gz": datetime(2026, 8, 21, 0, 26, 5, tzinfo=UTC),
    "20250920T0104.json": datetime(2025, 9, 20, 1, 4, tzinfo=UTC),
    "20250920010448.json": datetime(2025, 9, 20, 1, 4, 48, tzinfo=UTC),
    "2025-09-20T01:04:48.123456Z.json": datetime(2025, 9, 20, 1, 4, 48, tzinfo=UTC),
    "week_2025-09-20/drops_2025-09-22T101112Z.json": datetime(2025, 9, 22, 10, 11, 12, tzinfo=UTC),
    "drops-1758330288.json": datetime(2025, 9, 20, 1, 4, 48, tzinfo=UTC),
}
DAYS = ["2025-09-20.json", "drops_20250920.json", "drops.2025.09.20.json", "2025_09_20/drops.json"]
NOTHING = [
    "drops.json",
    "",
    "drops_7.json",
    "2025-13-40.json",
    "id-120250920.json",
    "99999999999.json",
    "2025-9-2.json",
]


@pytest.mark.parametrize("name", EXACT)
def test_a_name_with_a_time_tells_the_moment(name: str) -> None:
    moment = time_parser()(name)

    assert moment is not None
    assert (moment.earliest, moment.latest) == (EXACT[name], EXACT[name])


@pytest.mark.parametrize("name", DAYS)
def test_a_name_with_a_date_tells_the_day(name: str) -> None:
    moment = time_parser()(name)

    assert moment is not None
    assert moment.earliest == datetime(2025, 9, 20, tzinfo=UTC)
    assert moment.latest == datetime(2025, 9, 20, 23, 59, 59, 999999, tzinfo=UTC)


@pytest.mark.parametrize("name", NOTHING)
def test_a_name_without_either_tells_nothing(name: str) -> None:
    assert time_parser()(name) is None


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("%Y-%m-%dT%H%M%SZ", "x_2025-09-20T010448Z.json", datetime(2025, 9, 20, 1, 4, 48, tzinfo=UTC)),
        ("%d.%m.%y %H.%M", "20.09.25 01.04.json", datetime(2025, 9, 20, 1, 4, tzinfo=UTC)),
        ("%Y-%m-%dT%H:%M%z", "2025-09-20T03:04+02:00", datetime(2025, 9, 20, 1, 4, tzinfo=UTC)),
        ("%Y/%j/%H", "2025/263/01/drops.json", datetime(2025, 9, 20, 1, tzinfo=UTC)),
        ("%d %B %Y %I%p", "20 September 2025 01AM.json", datetime(2025, 9, 20, 1, tzinfo=UTC)),
        ("100%% %Y%m%d%H", "100% 2025092001", datetime(2025, 9, 20, 1, tzinfo=UTC)),
    ],
)
def test_a_pattern_is_searched_for_in_the_name(pattern: str, name: str, expected: datetime) -> None:
    moment = time_parser(pattern)(name)

    assert moment is not None
    assert (moment.earliest, moment.latest) == (expected, expected)


def test_a_pattern_without_an_hour_tells_the_day() -> None:
    moment = time_parser("%Y%m%d")("20250920")

    assert moment is not None
    assert (moment.latest - moment.earliest).total_seconds() == pytest.approx(86400)


@pytest.mark.parametrize("name", ["drops.json", "2025-99-99", "2025-09-31"])
def test_a_name_that_does_not_fit_the_pattern_tells_nothing(name: str) -> None:
    assert time_parser("%Y-%m-%d")(name) is None


@pytest.mark.parametrize(
    ("pattern", "reason"), [("%Y-%m", "needs a day"), ("plain", "needs a day"), ("%d %Q", "unknown %Q")]
)
def test_a_pattern_that_cannot_tell_a_day_is_refused(pattern: str, reason: str) -> None:
    with pytest.raises(LootwireError, match=reason):
        time_parser(pattern)
