"""What fetches and renders sounds is looked at, and what is old or missing is said."""

import sys
from datetime import date
from pathlib import Path

import pytest

from pipeline.programs.sound_tools import look_at_tools, released_on

DAY = date(2026, 11, 28)


@pytest.mark.parametrize(
    ("version", "day"),
    [
        ("2026.10.26", date(2026, 10, 26)),
        ("2026.10.26.232815", date(2026, 10, 26)),
        ("2026.1.2", date(2026, 1, 2)),
        ("2026.13.40", None),
        ("9.0.2", None),
        ("", None),
    ],
)
def test_a_version_is_a_day(version: str, day: date | None) -> None:
    assert released_on(version) == day


def test_what_is_installed_is_well_and_named(tmp_path: Path) -> None:
    tools = {tool.name: tool for tool in look_at_tools(tmp_path, None, DAY)}

    assert tools["ffmpeg"].problem is tools["ffmpeg"].hint is None
    assert "ffmpeg" in tools["ffmpeg"].state
    assert released_on(tools["yt-dlp"].state) is not None
    assert all(tool.problem is None for tool in tools.values())


def test_an_old_yt_dlp_is_said_after_sixty_days(tmp_path: Path) -> None:
    (tmp_path / "sounds/extractors/2038.01.01").mkdir(parents=True)

    def hint(today: date) -> str | None:
        return next(tool for tool in look_at_tools(tmp_path, None, today) if tool.name == "yt-dlp").hint

    assert hint(date(2038, 3, 2)) is None
    assert "61 days old" in (hint(date(2038, 3, 3)) or "")
    assert "update-extractors" in (hint(date(2038, 3, 3)) or "")


def test_an_ffmpeg_that_cannot_be_used_is_a_problem_with_a_way_out(tmp_path: Path) -> None:
    tool = next(iter(look_at_tools(tmp_path, tmp_path / "ffmpeg", DAY)))

    assert tool.problem is not None
    assert "LOOTWIRE_FFMPEG" in tool.problem


def test_a_group_that_was_left_out_is_said_and_is_no_mistake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # As Python has it where a package is not installed.
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)

    tool = next(iter(look_at_tools(tmp_path, None, DAY)))

    assert (tool.state, tool.problem) == ("not installed", None)
    assert "uv sync --group sound" in (tool.hint or "")
