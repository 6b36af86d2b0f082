"""What other programs may rely on: the keys of each JSON object, and the exit codes."""

from datetime import datetime
from pathlib import Path

import pytest

from feeds.formats import FORMATS
from pipeline.demo.sinks import WebhookSink
from pipeline.programs.operating.incidents import report_publishing
from tests.pipeline.cli.operator import Operator

EVENT_KEYS = {"id", "kind", "key", "title", "occurred_at", "recorded_at", "source", "subjects", "silent", "detail"}
SOURCE_KEYS = {
    "name",
    "service",
    "state",
    "next_attempt_at",
    "last_success_at",
    "last_snapshot_at",
    "failing_since",
    "changed_since",
    "stale_since",
    "consecutive_failures",
    "refresh_seconds",
    "last_error",
}
DELIVERY_KEYS = {
    "id",
    "state",
    "event_id",
    "kind",
    "title",
    "target",
    "label",
    "subscription_ids",
    "attempts",
    "unanswered",
    "created_at",
    "next_attempt_at",
    "first_attempt_at",
    "sent_at",
    "last_error",
}
FEED_KEYS = {"id", "title", "scope", "path", "rss", "atom", "items", "written_at", "waiting"} | {
    each.key for each in FORMATS
}
STATUS_KEYS = {
    "eventsub",
    "campaigns",
    "campaigns_open",
    "events",
    "feeds",
    "feeds_waiting",
    "pictures_copied",
    "pictures_given_up",
    "targets",
    "deliveries_sent",
    "deliveries_waiting",
    "deliveries_dead",
    "quarantined",
    "sources_failing",
    "sources_off",
    "sources_waiting",
    "last_event_at",
    "worker_seen_at",
    "published",
    "troubles",
}


@pytest.fixture
def imported(operator: Operator, now: datetime) -> Operator:
    """An operator who has imported three hours of history."""
    assert operator.run("import", str(operator.snapshots(now))).code == 0
    return operator


def test_import_tells_of_everything_in_one_object(operator: Operator, now: datetime) -> None:
    result = operator.run("import", str(operator.snapshots(now)), "--json")
    [summary] = result.lines
    assert result.code == 0
    assert set(summary) == {"files", "snapshots", "records", "unchanged", "events", "quarantined", "seconds"}
    assert (summary["files"], summary["snapshots"], summary["quarantined"]) == (3, 3, [])
    assert summary["records"] > summary["unchanged"] > 0
    assert summary["events"]["campaign.added"] > 20
    assert isinstance(summary["seconds"], float)


def test_importing_the_same_again_adds_no_event(operator: Operator, now: datetime) -> None:
    folder = str(operator.snapshots(now))
    operator.run("import", folder)
    [summary] = operator.run("import", folder, "--json").lines
    assert summary["events"] == {}
    assert summary["unchanged"] == summary["records"] > 0


def test_an_import_of_older_history_says_that_it_only_adds(operator: Operator, now: datetime) -> None:
    oldest, *newer = sorted(operator.snapshots(now).iterdir())
    first = operator.run("import", *map(str, newer))
    assert "no newer than what was stored" not in first.out
    result = operator.run("import", str(oldest))
    assert result.code == 0
    assert "1 snapshot is no newer than what was stored: such history only adds" in result.out
    assert "import oldest first for its events." in result.out
    assert "oldest first, before anything newer" in " ".join(operator.run("import", "--help").out.split())


def test_an_import_that_sets_something_aside_exits_with_3_and_names_it(operator: Operator, now: datetime) -> None:
    folder = operator.snapshots(now)
    broken = folder / "2031-05-04T030201Z_drops.json"
    broken.write_text('{"data": [')
    result = operator.run("import", str(folder), "--json")
    [aside] = result.lines[0]["quarantined"]
    assert result.code == 3
    assert set(aside) == {"path", "reason"}
    assert aside["path"].endswith(broken.name)
    assert aside["reason"]
    assert result.lines[0]["events"]["campaign.added"] > 20


def test_an_import_of_nothing_fails_and_says_where_it_looked(operator: Operator) -> None:
    result = operator.run("import", "/no/such/folder", "--json")
    assert result.code == 2
    assert result.out == ""
    assert result.errors == "lootwire: /no/such/folder: no such file or folder\n"


def test_events_are_one_object_a_line_oldest_first(imported: Operator) -> None:
    events = imported.run("events", "--json").lines
    assert all(set(event) == EVENT_KEYS for event in events)
    assert [event["id"] for event in events] == sorted(event["id"] for event in events)
    assert {event["source"] for event in events} == {"twitch.drops"}
    subjects = events[0]["subjects"]
    assert {"campaign", "game", "service"} <= set(subjects)
    assert datetime.fromisoformat(events[0]["occurred_at"]).tzinfo is not None


def test_events_can_be_narrowed_down(imported: Operator) -> None:
    every = imported.run("events", "--json").lines
    added = imported.run("events", "--json", "--kind", "campaign.added").lines
    family = imported.run("events", "--json", "--kind", "campaign.*").lines
    assert {event["kind"] for event in added} == {"campaign.added"}
    assert len(added) < len(family) == len(every)
    game = every[0]["subjects"]["game"]
    of_game = imported.run("events", "--json", "--subject", game.upper()).lines
    assert {event["subjects"]["game"] for event in of_game} == {game}
    campaign = every[0]["subjects"]["campaign"]
    of_campaign = imported.run("events", "--json", "--subject", campaign).lines
    assert {event["subjects"]["campaign"] for event in of_campaign} == {campaign}
    assert imported.run("events", "--json", "--since", "1h").lines == every
    assert imported.run("events", "--json", "--since", "2100-01-01").lines == []
    assert imported.run("events", "--json", "--limit", "2").lines == every[-2:]


def test_sources_are_one_object_a_line(operator: Operator) -> None:
    sources = operator.run("sources", "--json").lines
    assert all(set(source) == SOURCE_KEYS for source in sources)
    assert {"twitch.drops", "twitch.rewards", "kick.drops", "chzzk.drops"} <= {source["name"] for source in sources}
    assert {source["state"] for source in sources} <= {"new", "off"}


def test_deliveries_are_one_object_a_line(operator: Operator, now: datetime) -> None:
    with WebhookSink() as hook:
        operator.run("targets", "add", "hook", f"json{hook.url.removeprefix('http')}", "--private")
        operator.run("subscriptions", "add", "--to", "hook")
        operator.run("import", str(operator.snapshots(now)))
    deliveries = operator.run("deliveries", "--json").lines
    assert deliveries
    assert all(set(delivery) == DELIVERY_KEYS for delivery in deliveries)
    assert {delivery["state"] for delivery in deliveries} == {"pending"}
    assert operator.run("deliveries", "--json", "--state", "dead").lines == []


def test_feeds_are_one_object_a_line_with_their_addresses(imported: Operator) -> None:
    waiting = imported.run("feeds", "--json").lines
    assert all(set(feed) == FEED_KEYS and feed["waiting"] for feed in waiting)
    assert imported.run("publish").code == 0
    written = {feed["path"]: feed for feed in imported.run("feeds", "--json").lines}
    assert not any(feed["waiting"] for feed in written.values())
    assert written["all"]["rss"] == "https://drops.example/all.rss.xml"
    assert written["all"]["atom"] == "https://drops.example/all.atom.xml"
    assert written["all"]["items"] > 0


def test_status_is_one_object(imported: Operator) -> None:
    [status] = imported.run("status", "--json").lines
    assert set(status) == STATUS_KEYS
    assert status["campaigns"] >= status["campaigns_open"] > 20
    assert status["published"] == str(imported.folder / "data/public")
    assert status["eventsub"] == "off: streams need TWITCH_CLIENT_ID and TWITCH_CLIENT_SECRET"
    assert status["troubles"] == []
    assert [group["needs"] for group in status["sources_off"]] == [
        "TWITCH_CLIENT_ID and TWITCH_CLIENT_SECRET",
        "a sign-in (lootwire sources login twitch)",
        "a sign-in (lootwire sources login steam)",
        "a sign-in (lootwire sources login retroachievements)",
    ]


def test_status_says_what_is_wrong(operator: Operator, now: datetime) -> None:
    operator.run("status")
    report_publishing(operator.engine, "games/rust.rss.xml: Permission denied", now)
    (trouble,) = operator.run("status", "--json").lines[0]["troubles"]
    assert trouble["kind"] == "operator.publish_failed"
    assert (trouble["reason"], trouble["stops_work"]) == ("games/rust.rss.xml: Permission denied", True)
    assert (
        "trouble  Feeds cannot be written: games/rust.rss.xml: Permission denied (since " in operator.run("status").out
    )


def test_doctor_tells_each_setting_with_its_origin_and_no_secret(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:hunter2@127.0.0.1:1/x")
    Path("lootwire.toml").write_text("kick_poll_seconds = 77\n")
    Path(".env").write_text("LOOTWIRE_WORKER_PROCESSES=3\n")
    result = operator.run("doctor", "--json")
    settings = {row["setting"]: row for row in result.lines}
    assert all(set(row) == {"setting", "value", "origin"} for row in result.lines)
    assert settings["DATABASE_URL"]["origin"] == "environment"
    assert settings["DATABASE_URL"]["value"] == "********"
    assert settings["LOOTWIRE_KICK_POLL_SECONDS"] | {"setting": ""} == {
        "setting": "",
        "value": "77",
        "origin": "lootwire.toml",
    }
    assert settings["LOOTWIRE_WORKER_PROCESSES"]["origin"] == ".env"
    assert settings["LOOTWIRE_LOG_LEVEL"]["origin"] == "default"
    assert "hunter2" not in result.out + result.errors


def test_quarantined_payloads_are_kept_as_they_came(operator: Operator) -> None:
    payload = '{"data": [{"neither": "a game", "nor": "a group"}, 7]}'
    (operator.folder / "2031-05-04T030201Z_drops.json").write_text(payload)
    assert operator.run("import", str(operator.folder / "2031-05-04T030201Z_drops.json")).code == 3
    [kept] = operator.run("quarantine", "--json").lines
    assert {"id", "source", "reason", "detail", "origin", "first_seen_at", "last_seen_at", "times_seen"} <= set(kept)
    assert operator.run("quarantine").code == 0


def test_every_list_is_empty_json_on_a_new_installation(operator: Operator) -> None:
    for command in ("events", "deliveries", "feeds", "targets", "subscriptions", "quarantine"):
        result = operator.run(command, "--json")
        assert (result.code, result.out) == (0, ""), command


def test_every_list_says_what_to_do_on_a_new_installation(operator: Operator) -> None:
    assert "Nothing happened yet." in operator.run("events").out
    assert "`lootwire targets add NAME URL`" in operator.run("targets").out
    assert "`lootwire subscriptions add --to NAME`" in operator.run("subscriptions").out
    assert "`lootwire once` fetches some" in operator.run("feeds").out
    assert "No deliveries." in operator.run("deliveries").out
    assert "Nothing is set aside." in operator.run("quarantine").out


def test_a_hostile_title_does_not_move_the_cursor(imported: Operator) -> None:
    with imported.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE events SET title = E'bell\\a and \\x1b[2Jclear'")
    table = imported.run("events").out
    assert "\x1b[2J" not in table
    assert "\a" not in table
