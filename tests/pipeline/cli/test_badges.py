"""Chat badges at the command line: their source, and the import of kept lists."""

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.pipeline.cli.operator import Operator


def write_badges(folder: Path, at: datetime, *sets: str) -> None:
    """Write a list of badges into a file that is named after its time."""
    listed = [{"set_id": name, "versions": [{"id": "1", "title": name.upper()}]} for name in sets]
    (folder / f"{at:%Y-%m-%dT%H%M%SZ}.json").write_text(json.dumps({"data": listed}))


def test_badges_are_a_source_where_an_application_is_set(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "twitch.badges" not in operator.run("sources").out
    monkeypatch.setenv("TWITCH_CLIENT_ID", "abc123")
    monkeypatch.setenv("TWITCH_CLIENT_SECRET", "hush-hush")
    result = operator.run("sources", "--json")
    (badges,) = [source for source in result.lines if source["name"] == "twitch.badges"]
    assert (badges["service"], badges["state"]) == ("twitch", "new")
    assert "hush-hush" not in result.out


def test_badges_are_off_while_no_application_is_set(
    operator: Operator, now: datetime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_badges(tmp_path, now - timedelta(hours=2), "vip")
    operator.run("import", *map(str, tmp_path.glob("*Z.json")))
    states = [state_of_badges(operator)]
    for name in ("TWITCH_CLIENT_ID", "TWITCH_CLIENT_SECRET"):
        monkeypatch.setenv(name, "abc123")
    states.append(state_of_badges(operator))
    monkeypatch.delenv("TWITCH_CLIENT_SECRET")
    states.append(state_of_badges(operator))
    assert states == ["off", "new", "off"]


def state_of_badges(operator: Operator) -> str:
    sources = operator.run("sources", "--json").lines
    return next(str(source["state"]) for source in sources if source["name"] == "twitch.badges")


def test_lists_of_badges_that_somebody_kept_are_imported(operator: Operator, now: datetime, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    write_badges(kept, now - timedelta(hours=2), "vip", "bits")
    write_badges(kept, now - timedelta(hours=1), "vip", "bits", "glhf")
    result = operator.run("import", str(kept), "--json")
    assert result.code == 0
    assert result.lines[-1]["events"] == {"badge.added": 3}
    events = [(event["title"], event["silent"]) for event in operator.run("events", "--json").lines]
    assert sorted(events) == [
        ("New chat badge on Twitch – BITS", True),
        ("New chat badge on Twitch – GLHF", False),
        ("New chat badge on Twitch – VIP", True),
    ]
