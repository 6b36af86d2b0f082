"""What commands print for people."""

import io
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from models.printable import escaped
from pipeline.runtime.output import LineConsole, distance, moments_in, parse_until, print_rows, show_in
from tests.pipeline.cli.operator import Operator

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("away", "expected"),
    [
        (timedelta(0), "now"),
        (timedelta(seconds=-59), "59 s ago"),
        (timedelta(minutes=14.9), "in 14 min"),
        (timedelta(hours=-23), "23 h ago"),
        (timedelta(days=400), "in 400 d"),
    ],
)
def test_a_time_is_told_by_its_distance_in_the_largest_unit(away: timedelta, expected: str) -> None:
    assert distance(NOW + away, NOW) == expected


def test_no_time_is_nothing() -> None:
    assert not distance(None, NOW)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("22:00", datetime(2026, 5, 1, 20, tzinfo=UTC)),
        ("13:59", datetime(2026, 5, 2, 11, 59, tzinfo=UTC)),
        ("2026-05-03", datetime(2026, 5, 2, 22, tzinfo=UTC)),
        ("2026-05-03T22:00", datetime(2026, 5, 3, 20, tzinfo=UTC)),
        ("2026-05-03T22:00Z", datetime(2026, 5, 3, 22, tzinfo=UTC)),
    ],
)
def test_a_time_without_a_zone_is_read_by_the_clock_of_the_place(written: str, expected: datetime) -> None:
    assert parse_until(written, NOW, BERLIN) == expected


def test_a_time_of_day_in_the_hour_that_clocks_repeat_is_the_next_one() -> None:
    between = datetime(2026, 10, 25, 0, 45, tzinfo=UTC)
    assert parse_until("2:30", between, BERLIN) == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize("written", ["0h", "000m", "2026-04-30", "now"])
def test_a_time_that_is_not_yet_to_come_is_refused(written: str) -> None:
    with pytest.raises(typer.BadParameter):
        parse_until(written, NOW, BERLIN)


def test_times_are_shown_by_the_clock_of_the_place_and_name_it() -> None:
    assert show_in(NOW, BERLIN) == "2026-05-01 14:00 CEST"
    assert show_in(datetime.max.replace(tzinfo=UTC), BERLIN) == "9999-12-31 23:59 UTC"
    said = "muted until 2026-12-01 23:30 UTC, 2026-99-99 99:99 UTC"
    assert moments_in(said, BERLIN) == "muted until 2026-12-02 00:30 CET, 2026-99-99 99:99 UTC"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_lines_fold_on_a_terminal_and_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    for stream, lines in ((io.StringIO(), 1), (Terminal(), 4)):
        LineConsole(file=stream, force_interactive=False).print("word " * 15)
        assert len(stream.getvalue().splitlines()) == lines


def test_a_name_without_an_end_pads_no_other_row(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"title": "Loot " * 4000, "state": "sent"}, {"title": "Loot", "state": "sent"}]
    print_rows(rows, as_json=False, columns=("title", "state"), empty="")
    assert all(len(line) < 250 for line in capsys.readouterr().out.splitlines())
    print_rows(rows, as_json=True, columns=(), empty="")
    assert json.loads(capsys.readouterr().out.splitlines()[0]) == rows[0]


@given(st.text())
def test_escaped_json_says_the_same(written: str) -> None:
    shown = escaped(json.dumps({"name": written}, ensure_ascii=False))
    assert shown.isprintable()
    assert json.loads(shown) == {"name": written}


def test_what_is_piped_has_one_row_a_line_whatever_the_variable_says(operator: Operator, now: datetime) -> None:
    operator.run("import", str(operator.snapshots(now)))
    script = "from pipeline import cli; [cli.run([noun]) for noun in ('events', 'feeds', 'doctor', 'sources')]"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"COLUMNS": "30"},
        capture_output=True,
        text=True,
        check=True,
    )
    lines = done.stdout.splitlines()
    titles = [event["title"] for event in operator.run("events", "--json", "--limit", "50").lines]
    assert [title for title in titles if not any(line.endswith(title) for line in lines)] == []
    addresses = {feed["rss"] for feed in operator.run("feeds", "--json").lines}
    assert addresses <= {word for line in lines for word in line.split()}
    assert any(line.split() == ["LOOTWIRE_STREAMS_IN_CAMPAIGNS_POLL_SECONDS", "default", "60"] for line in lines)
