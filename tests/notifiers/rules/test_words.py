"""Settings of a target in the words of a rules file."""

import pytest

from notifiers.rules.words import digest_line, written
from notifiers.timing.settings import Digest, TargetSettings, Window


def test_what_is_as_for_every_target_is_not_written() -> None:
    assert written(TargetSettings()) == {}


@pytest.mark.parametrize(
    ("digest", "line"),
    [
        (Digest(every="hour", at="00:30"), "hourly at :30"),
        (Digest(every="day", at="08:00"), "daily at 08:00"),
        (Digest(every="week", at="18:00", day="fri"), "weekly on fri at 18:00"),
    ],
)
def test_a_digest_is_one_line(digest: Digest, line: str) -> None:
    assert digest_line(digest) == line
    assert written(TargetSettings(digest=digest)) == {"digest": line}


@pytest.mark.parametrize(("seconds", "span"), [(45, "45s"), (90, "90s"), (300, "5min"), (7200, "2h")])
def test_a_span_has_the_largest_unit_that_is_whole(seconds: int, span: str) -> None:
    assert written(TargetSettings(burst_seconds=seconds))["burst"] == span


@pytest.mark.parametrize(
    ("window", "lines"),
    [
        (Window(begins="22:00", ends="07:00", days=("mon", "tue", "wed")), ["22:00-07:00 mon-wed"]),
        (Window(begins="22:00", ends="07:00", days=("sun", "sat")), ["22:00-07:00 sat, sun"]),
        (Window(begins="00:00", ends="00:00", days=("mon",)), ["00:00-24:00 mon"]),
        # As older versions took it: a day from another time than midnight.
        (Window(begins="22:00", ends="22:00", days=("sun",)), ["22:00-24:00 sun", "00:00-22:00 mon"]),
    ],
)
def test_quiet_hours_are_lines_of_hours_and_days(window: Window, lines: list[str]) -> None:
    assert written(TargetSettings(quiet=(window,))) == {"quiet": lines}
