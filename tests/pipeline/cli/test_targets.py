"""Targets and subscriptions from the command line, up to the message and its reason."""

import io
import os
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, literal, select, update

from models import Channel, Delivery, Follow, Game, GameExternalId, Mute, Organization, Source, Target
from models.details import StreamDetail
from models.events import EventKind
from pipeline.demo.sinks import WebhookSink
from pipeline.events.append import NewEvent, append_events
from pipeline.programs.programs import settled
from pipeline.runtime.runtime import open_runtime, utc_now
from tests.notifiers import stubborn
from tests.pipeline.builders import campaign, drop, drops
from tests.pipeline.cli.operator import Operator
from tests.sending import deliver_due


@pytest.fixture
def subscribed(operator: Operator, hook: WebhookSink) -> Operator:
    assert operator.run("targets", "add", "hook", address(hook), "--private").code == 0
    assert operator.run("subscriptions", "add", "--to", "hook", "--kind", "campaign.added").code == 0
    return operator


def address(hook: WebhookSink) -> str:
    return f"json{hook.url.removeprefix('http')}/secret-path"


def test_a_target_is_shown_by_its_label_and_never_by_its_address(subscribed: Operator) -> None:
    for result in (subscribed.run("targets"), subscribed.run("targets", "--json")):
        assert result.code == 0
        assert "hook" in result.out
        assert "secret-path" not in result.out + result.errors


def test_an_address_can_be_read_from_standard_input(
    operator: Operator, hook: WebhookSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(address(hook) + "\n"))
    assert operator.run("targets", "add", "hook", "-", "--private").code == 0
    assert operator.run("targets", "test", "hook").code == 0
    assert len(hook.messages) == 1


def test_a_test_message_that_is_refused_says_why(subscribed: Operator, hook: WebhookSink) -> None:
    hook.fail_next(1, 403)
    result = subscribed.run("targets", "test", "hook")
    assert result.code == 1
    assert "HTTP 403" in result.errors
    assert "secret-path" not in result.errors


def test_a_name_that_is_taken_is_refused(subscribed: Operator, hook: WebhookSink) -> None:
    result = subscribed.run("targets", "add", "hook", address(hook))
    assert result.code == 2
    assert "'hook' already" in result.errors


def test_past_events_can_be_tried_without_sending_anything(
    subscribed: Operator, hook: WebhookSink, now: datetime
) -> None:
    subscribed.run("import", str(subscribed.snapshots(now)))
    tried = subscribed.run("subscriptions", "try", "hook", "--json").lines
    added = subscribed.run("events", "--json", "--kind", "campaign.added").lines
    assert [event["id"] for event in tried] == [event["id"] for event in added]
    assert hook.messages == []


def test_a_subscription_can_be_tried_alone_by_its_name(subscribed: Operator, now: datetime) -> None:
    subscribed.run("subscriptions", "add", "--to", "hook", "--name", "ends", "--kind", "campaign.ended")
    subscribed.run("import", str(subscribed.snapshots(now)))
    added = subscribed.run("subscriptions", "try", "hook: campaign.added", "--json").lines
    assert {event["kind"] for event in added} == {"campaign.added"}
    alone = subscribed.run("subscriptions", "try", "ends", "--json").lines
    assert {event["kind"] for event in alone} == {"campaign.ended"}
    assert len(subscribed.run("subscriptions", "try", "hook", "--json").lines) == len(added) + len(alone)
    summary = subscribed.run("subscriptions", "try", "ends").out.splitlines()[-1]
    assert summary.endswith("1 message; by 'ends' alone, at hook")
    missing = subscribed.run("subscriptions", "try", "edns")
    assert missing.code == 2
    assert "no target of that name, and no subscription. Did you mean 'ends'? There are: hook." in missing.errors


def test_why_tells_the_event_and_the_subscription_that_asked_for_it(
    subscribed: Operator, hook: WebhookSink, now: datetime
) -> None:
    subscribed.run("import", str(subscribed.snapshots(now)))
    delivery = subscribed.run("deliveries", "--json").lines[0]
    result = subscribed.run("why", str(delivery["id"]))
    assert result.code == 0
    assert delivery["title"] in result.out.replace("\n", " ")
    assert 'subscription "hook: campaign.added" of hook: kinds campaign.added' in result.out
    subscribed.run("subscriptions", "remove", "1")
    assert "has been removed since" in subscribed.run("why", str(delivery["id"])).out


def go_live(operator: Operator, login: str, at: datetime, *, formerly: str = "nobody") -> None:
    """Append the event of a channel that goes live."""
    with operator.engine.begin() as connection:
        channel = {"service": "twitch", "external_id": login, "login": login, "former_logins": [formerly]}
        channel_id = connection.scalar(insert(Channel).values(**channel, first_seen_at=at).returning(Channel.id))
        source = insert(Source).values(name=f"twitch.{login}", service="twitch", next_due_at=at).returning(Source.id)
        event = NewEvent(
            kind=EventKind.STREAM_ONLINE,
            subject=login,
            occurred_at=at,
            service="twitch",
            detail=StreamDetail(name="Ranked", channel=login.title(), channel_login=login),
            channel_id=channel_id,
        )
        append_events(connection, [event], source_id=connection.scalars(source).one(), silent=False, now=at)


def test_streams_of_a_channel_are_told_to_those_who_asked_for_it(
    operator: Operator, hook: WebhookSink, now: datetime
) -> None:
    operator.run("targets", "add", "hook", address(hook), "--private")
    result = operator.run("subscriptions", "add", "--to", "hook", "--channel", "Old_Name", "--kind", "stream.*")
    assert result.code == 0
    assert "Old_Name is not followed yet: lootwire channels add Old_Name" in result.out
    assert operator.run("subscriptions", "--json").lines[0]["channel"] == "Old_Name"
    go_live(operator, "shroud", now, formerly="old_name")
    go_live(operator, "tarik", now)
    (delivery,) = operator.run("deliveries", "--json").lines
    assert delivery["title"] == "Shroud is live: Ranked"
    wish = 'subscription "hook: stream.* of Old_Name" of hook: channel Old_Name; kinds stream.*'
    assert wish in operator.run("why", str(delivery["id"])).out


def test_a_channel_that_is_followed_is_asked_for_without_a_hint(
    subscribed: Operator, hook: WebhookSink, now: datetime
) -> None:
    go_live(subscribed, "shroud", now)
    with subscribed.engine.begin() as connection:
        shroud = select(literal("channel"), Channel.id, literal(now)).where(Channel.login == "shroud")
        connection.execute(insert(Follow).from_select(["kind", "channel_id", "created_at"], shroud))
    result = subscribed.run("subscriptions", "add", "--to", "hook", "--channel", "https://www.twitch.tv/Shroud")
    assert "is told from now on" in result.out
    assert "not followed" not in result.out


def test_events_of_a_channel_are_found_by_its_logins(operator: Operator, now: datetime) -> None:
    go_live(operator, "shroud", now)
    go_live(operator, "tarik", now - timedelta(hours=1), formerly="old_name")
    (event,) = operator.run("events", "--json", "--subject", "Shroud", "--kind", "stream.*").lines
    assert event["subjects"] == {"channel": "shroud", "service": "twitch"}
    (other,) = operator.run("events", "--json", "--subject", "old_name").lines
    assert other["subjects"]["channel"] == "tarik"
    assert operator.run("events", "--json", "--subject", "shroud", "--kind", "video.*").lines == []


def test_the_help_says_that_streams_come_only_of_channels_that_one_follows(operator: Operator) -> None:
    text = " ".join(operator.run("subscriptions", "add", "--help").out.replace("│", " ").split())
    assert "Streams and videos are told of channels that you follow" in text
    assert "badge.*, campaign.*" in text


def test_dead_deliveries_are_seen_and_replayed(subscribed: Operator, hook: WebhookSink, now: datetime) -> None:
    subscribed.run("import", str(subscribed.snapshots(now)))
    runtime = open_runtime()
    hook.fail_next(100, 410)
    deliver_due(runtime.engine, runtime.vault, utc_now)
    dead = subscribed.run("deliveries", "--json", "--state", "dead").lines
    assert dead
    assert {delivery["last_error"] for delivery in dead} == {
        "the service answered with HTTP 410: what was at that address is gone"
    }
    assert subscribed.run("status", "--json").lines[0]["deliveries_dead"] == len(dead)
    assert f"{len(dead)} dead deliveries will be sent again" in subscribed.run("deliveries", "--replay").out
    assert subscribed.run("deliveries", "--json", "--state", "dead").lines == []
    runtime.engine.dispose()


def test_a_replay_takes_no_more_and_no_others_than_were_asked_for(
    subscribed: Operator, hook: WebhookSink, now: datetime
) -> None:
    subscribed.run("import", str(subscribed.snapshots(now)))
    runtime = open_runtime()
    hook.fail_next(100, 410)
    deliver_due(runtime.engine, runtime.vault, utc_now)
    runtime.engine.dispose()
    dead = [line["id"] for line in subscribed.run("deliveries", "--json", "--state", "dead").lines]
    assert len(dead) > 3
    refused = subscribed.run("deliveries", "--replay", "--state", "sent")
    assert (refused.code, refused.out) == (2, "")
    assert "only dead deliveries are sent again" in refused.errors
    newest = subscribed.run("deliveries", "--replay", "--state", "dead", "--limit", "1")
    assert newest.out == "1 dead delivery will be sent again\n"
    replayed = subscribed.run("deliveries", "--replay", "--limit", "2", "--json").lines
    assert [line["id"] for line in replayed] == dead[1:3]
    waiting = subscribed.run("deliveries", "--json", "--state", "pending").lines
    assert [line["id"] for line in waiting] == dead[:3]
    assert [(line["state"], line["attempts"]) for line in replayed] == [
        (line["state"], line["attempts"]) for line in waiting[1:]
    ]
    left = subscribed.run("deliveries", "--json", "--state", "dead").lines
    assert [line["id"] for line in left] == dead[3:]


def test_removing_a_target_removes_its_subscriptions_and_says_what_becomes_of_its_messages(
    subscribed: Operator, now: datetime
) -> None:
    subscribed.run("import", str(subscribed.snapshots(now)))
    waiting = len(subscribed.run("deliveries", "--json").lines)
    result = subscribed.run("targets", "remove", "hook", "--yes")
    assert result.code == 0
    assert "1 subscription and the address go with it" in result.out
    assert f"{waiting} waiting messages will not be sent, 0 sent stay on record" in result.out
    assert subscribed.run("subscriptions", "--json").lines == subscribed.run("targets", "--json").lines == []
    assert {line["state"] for line in subscribed.run("deliveries", "--json").lines} == {"dead"}
    assert subscribed.run("status", "--json").lines[0]["targets"] == 0


@pytest.mark.parametrize(("answer", "code", "left"), [("n", 1, 1), ("y", 0, 0)])
def test_on_a_terminal_a_removal_is_asked_about(subscribed: Operator, answer: str, code: int, left: int) -> None:
    ours, theirs = os.openpty()
    os.write(ours, f"{answer}\n".encode())
    with subscribed.start("targets", "remove", "hook", stdin=theirs) as process:
        _, errors = process.communicate(timeout=60)
    os.close(theirs)
    os.close(ours)
    assert "1 subscription and the address go with it" in errors
    assert process.returncode == (0 if code == 0 else 130)
    assert len(subscribed.run("targets", "--json").lines) == left


def test_a_target_is_renamed_moved_paused_and_resumed(
    subscribed: Operator, hook: WebhookSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    renamed = subscribed.run("targets", "set", "hook", "--name", "home", "--timezone", "europe/berlin")
    assert (renamed.code, "told of releases when their day begins in Europe/Berlin" in renamed.out) == (0, True)
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{address(hook)}-moved\n"))
    moved = subscribed.run("targets", "set", "home", "--url", "-")
    assert "home is at another address now" in moved.out
    assert "secret-path" not in moved.out
    assert subscribed.run("targets", "test", "home").code == 0
    assert hook.messages[-1].path == "/secret-path-moved"
    assert subscribed.run("subscriptions", "--json").lines[0]["target"] == "home"

    assert "home is paused from now on" in subscribed.run("targets", "pause", "home").out
    assert "home is paused already" in subscribed.run("targets", "pause", "home").out
    assert subscribed.run("targets", "--json").lines[0]["disabled_at"] is not None
    assert "home is told again from now on" in subscribed.run("targets", "resume", "home").out
    assert "home is not paused" in subscribed.run("targets", "resume", "home").out


def test_what_waits_for_a_paused_target_keeps_no_cycle_from_ending(subscribed: Operator, now: datetime) -> None:
    subscribed.run("import", str(subscribed.snapshots(now)))
    subscribed.run("publish")
    assert not settled(subscribed.engine)
    subscribed.run("targets", "pause", "hook")
    assert settled(subscribed.engine)


def test_a_change_of_a_target_names_what_is_to_change(subscribed: Operator) -> None:
    result = subscribed.run("targets", "set", "hook")
    assert result.code == 2
    assert "give what is to change, such as --name, --url, --timezone or --quiet" in result.errors


TYPING_ERRORS = [
    ("--game", "Gloomtdie", "game", "Gloomtide"),
    ("--organization", "Tidewarde", "organization", "Tidewarden"),
    ("--channel", "shruod", "channel", "shroud"),
]


@pytest.fixture
def knowing(subscribed: Operator, now: datetime) -> Operator:
    """An operator whose installation knows a game, an organization and a channel."""
    go_live(subscribed, "shroud", now)
    with subscribed.engine.begin() as connection:
        identity = {"name_key": "gloomtide", "public_id": "01234567"}
        game_id = connection.scalar(insert(Game).values(name="Gloomtide", **identity).returning(Game.id))
        category = {"service": "twitch", "external_id": "7", "game_id": game_id, "how": "service"}
        connection.execute(insert(GameExternalId).values(**category))
        owner = {"service": "twitch", "external_id": "1", "name": "Tidewarden", "name_key": "tidewarden"}
        connection.execute(insert(Organization).values(**owner, public_id="1"))
    return subscribed


@pytest.mark.parametrize(("option", "written", "kind", "meant"), TYPING_ERRORS)
def test_a_name_that_nothing_has_is_told_with_the_nearest_one_and_waits(
    knowing: Operator, option: str, written: str, kind: str, meant: str
) -> None:
    result = knowing.run("subscriptions", "add", "--to", "hook", option, written)
    assert result.code == 0
    assert result.errors == (
        f"lootwire: no {kind} named {written!r} is known yet (did you mean {meant}?): "
        "the subscription waits for one of that name\n"
    )
    assert len(knowing.run("subscriptions", "--json").lines) == 2
    right = knowing.run("subscriptions", "add", "--to", "hook", option, meant.upper(), "--strict")
    assert (right.code, right.errors) == (0, "")


def test_a_mute_of_a_game_that_nothing_is_called_is_told_with_the_nearest_one(knowing: Operator) -> None:
    muted = knowing.run("targets", "mute", "hook", "3h", "--game", "Gloomtdie")
    assert muted.code == 0
    assert muted.errors == (
        "lootwire: no game named 'Gloomtdie' is known yet (did you mean Gloomtide?): "
        "the mute waits for one of that name\n"
    )
    assert knowing.run("targets", "mute", "hook", "3h", "--game", "GLOOMTIDE").errors == ""


def test_targets_show_what_is_muted_and_until_when(operator: Operator) -> None:
    operator.run("targets", "add", "phone", "json://127.0.0.1:9/x", "--timezone", "Europe/Berlin")
    operator.run("targets", "mute", "phone", "2099-07-01T10:00Z")
    operator.run("targets", "mute", "phone", "2099-08-01T10:00Z", "--game", "Rust")
    shown = operator.run("targets").out
    assert "muted until 2099-07-01 12:00 CEST; muted of Rust until 2099-08-01 12:00 CEST" in shown
    (target,) = operator.run("targets", "--json").lines
    assert target["mutes"] == [
        {"game": None, "until": "2099-07-01T10:00:00Z"},
        {"game": "Rust", "until": "2099-08-01T10:00:00Z"},
    ]
    operator.run("targets", "remove", "phone", "--yes")
    operator.run("targets", "add", "phone", "json://127.0.0.1:9/x")
    (anew,) = operator.run("targets", "--json").lines
    assert anew["mutes"] == []


def test_a_subscription_to_a_list_that_there_is_not_says_so(knowing: Operator) -> None:
    result = knowing.run("subscriptions", "add", "--to", "hook", "--list", "wishes")
    assert "no list named 'wishes' is known yet" in result.errors


@pytest.mark.parametrize(("option", "written", "kind", "meant"), TYPING_ERRORS)
def test_a_strict_subscription_refuses_a_name_that_nothing_has(
    knowing: Operator, option: str, written: str, kind: str, meant: str
) -> None:
    result = knowing.run("subscriptions", "add", "--to", "hook", option, written, "--strict")
    assert (result.code, result.out) == (2, "")
    assert result.errors == f"lootwire: no {kind} named {written!r} is known yet (did you mean {meant}?)\n"
    assert len(knowing.run("subscriptions", "--json").lines) == 1


@pytest.mark.parametrize(("option", "written", "kind", "meant"), TYPING_ERRORS)
def test_what_is_known_on_another_service_only_is_not_known_on_this_one(
    knowing: Operator, option: str, written: str, kind: str, meant: str
) -> None:
    with knowing.engine.begin() as connection:
        connection.execute(insert(Source).values(name="kick.drops", service="kick", next_due_at=utc_now()))

    elsewhere = knowing.run("subscriptions", "add", "--to", "hook", "--service", "kick", option, meant, "--strict")
    there = knowing.run("subscriptions", "add", "--to", "hook", "--service", "twitch", option, meant, "--strict")

    assert (elsewhere.code, elsewhere.errors) == (2, f"lootwire: no {kind} named {meant!r} is known on kick yet\n")
    assert (there.code, there.errors) == (0, "")


def test_why_says_when_a_delivery_was_sent(subscribed: Operator, now: datetime) -> None:
    subscribed.run("import", str(subscribed.snapshots(now)))
    delivery = subscribed.run("deliveries", "--json").lines[0]
    with subscribed.engine.begin() as connection:
        sent = update(Delivery).where(Delivery.id == delivery["id"]).values(state="sent", sent_at=now)
        connection.execute(sent)

    assert f"sent at {now:%Y-%m-%d %H:%M} UTC" in subscribed.run("why", str(delivery["id"])).out
    subscribed.run("targets", "set", "hook", "--timezone", "Asia/Tokyo")
    there = now + timedelta(hours=9)
    assert f"sent at {there:%Y-%m-%d %H:%M} JST" in subscribed.run("why", str(delivery["id"])).out
    assert "timezone" not in subscribed.run("why", str(delivery["id"]), "--json").lines[0]


def test_a_kind_that_does_not_exist_is_refused_with_the_nearest_one(subscribed: Operator) -> None:
    result = subscribed.run("subscriptions", "add", "--to", "hook", "--kind", "stream.onlien")
    assert (result.code, "Did you mean stream.online?" in result.errors) == (2, True)


@pytest.mark.parametrize(("written", "meant"), [("Gloomtdie", "Gloomtide"), ("shruod", "shroud")])
def test_events_of_what_nothing_is_called_are_told_from_no_events(knowing: Operator, written: str, meant: str) -> None:
    result = knowing.run("events", "--subject", written)
    assert (result.code, f"{written!r} is known yet (did you mean {meant}?)" in result.errors) == (0, True)
    assert knowing.run("events", "--subject", "Gloomtide").errors == ""


def test_the_table_of_what_would_be_told_is_in_the_order_of_events(subscribed: Operator, now: datetime) -> None:
    subscribed.run("import", str(subscribed.snapshots(now)))
    tried = subscribed.run("subscriptions", "try", "hook").out.splitlines()
    events = subscribed.run("events", "--kind", "campaign.added", "--limit", "1000").out.splitlines()
    assert tried[:-1] == events


def test_why_has_its_answer_for_programs_too(subscribed: Operator, now: datetime) -> None:
    subscribed.run("import", str(subscribed.snapshots(now)))
    delivery = subscribed.run("deliveries", "--json").lines[0]
    [reason] = subscribed.run("why", str(delivery["id"]), "--json").lines
    shared = ("id", "state", "target", "event_id", "kind", "title", "sent_at")
    assert {name: reason[name] for name in shared} == {name: delivery[name] for name in shared}
    assert [line["kinds"] for line in reason["subscriptions"]] == [["campaign.added"]]
    subscribed.run("subscriptions", "remove", "1")
    [reason] = subscribed.run("why", str(delivery["id"]), "--json").lines
    assert (reason["subscriptions"], reason["subscriptions_removed"]) == ([], 1)


def test_why_shows_what_the_target_answered_and_whether_the_message_may_have_arrived(
    subscribed: Operator, now: datetime
) -> None:
    subscribed.run("import", str(subscribed.snapshots(now)))
    runtime = open_runtime()
    with stubborn.web(stubborn.hangs_up, stubborn.answers(400, b'{"description": "chat not found"}')) as server:
        subscribed.run("targets", "set", "hook", "--url", server.url())
        for _ in range(2):
            deliver_due(runtime.engine, runtime.vault, utc_now)
            with runtime.engine.begin() as connection:
                connection.execute(update(Delivery).values(next_attempt_at=utc_now()))
    runtime.engine.dispose()
    delivery = subscribed.run("deliveries", "--json").lines[0]
    assert (delivery["attempts"], delivery["unanswered"]) == (2, 1)
    text = subscribed.run("why", str(delivery["id"])).out
    assert "not taken: the service answered with HTTP 400: chat not found" in text
    assert "it may have arrived: 1 of 2 attempts ended without an answer" in text
    [reason] = subscribed.run("why", str(delivery["id"]), "--json").lines
    assert (reason["unanswered"], reason["last_error"]) == (1, delivery["last_error"])


def test_why_says_how_long_a_target_that_rests_is_sent_nothing(subscribed: Operator, now: datetime) -> None:
    subscribed.run("import", str(subscribed.snapshots(now)))
    with subscribed.engine.begin() as connection:
        connection.execute(update(Target).values(rests_until=now + timedelta(days=1)))
    delivery = subscribed.run("deliveries", "--json").lines[0]
    until = f"{now + timedelta(days=1):%Y-%m-%d %H:%M} UTC"
    assert f"pending, not before {until}" in subscribed.run("why", str(delivery["id"])).out


def test_deliveries_show_when_each_was_sent(subscribed: Operator, hook: WebhookSink, now: datetime) -> None:
    subscribed.run("import", str(subscribed.snapshots(now)))
    runtime = open_runtime()
    deliver_due(runtime.engine, runtime.vault, utc_now)
    runtime.engine.dispose()
    header, *lines = subscribed.run("deliveries", "--state", "sent").out.splitlines()
    assert "sent at" in header
    sent_at = subscribed.run("deliveries", "--json", "--state", "sent").lines[0]["sent_at"]
    assert f"  {sent_at[:10]} {sent_at[11:16]}" in lines[0]


def test_quiet_hours_and_a_digest_are_set_shown_and_ended(operator: Operator) -> None:
    operator.run("targets", "add", "phone", "json://127.0.0.1:9/x", "--timezone", "Europe/Berlin")
    set_up = operator.run(
        *("targets", "set", "phone", "--quiet", "22:00-07:00", "--quiet", "12:00-13:00 sun"),
        *("--digest", "daily at 18:30", "--urgent", "stream.online", "--burst", "1min", "--locale", "de"),
    )
    assert set_up.code == 0
    assert set_up.out.strip() == (
        "phone: quiet 22:00-07:00, 12:00-13:00 sun; digest daily at 18:30; urgent stream.online; burst 1min; locale de "
        "(in Europe/Berlin)"
    )
    assert (
        "quiet 22:00-07:00, 12:00-13:00 sun; digest daily at 18:30; urgent stream.online; burst 1min"
        in operator.run("targets").out
    )
    (target,) = operator.run("targets", "--json").lines
    assert target["settings"] == {
        "quiet": [{"begins": "22:00", "ends": "07:00"}, {"begins": "12:00", "ends": "13:00", "days": ["sun"]}],
        "digest": {"at": "18:30"},
        "urgent": ["stream.online"],
        "burst_seconds": 60,
        "locale": "de",
    }
    operator.run("targets", "set", "phone", "--quiet", "none", "--digest", "none", "--burst", "0s")
    (target,) = operator.run("targets", "--json").lines
    assert target["settings"] == {"urgent": ["stream.online"], "locale": "de"}


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("--quiet", "at night", "--quiet: must be hours such as 22:00-07:00"),
        ("--quiet", "22:00-22:00", "--quiet: 22:00-22:00 ends when it begins; write hours such as 22:00-07:00"),
        ("--digest", "monthly", "--digest: must be hourly, daily, weekly"),
        ("--burst", "soon", "--burst: must be a time such as 30s"),
    ],
)
def test_a_setting_that_is_none_is_refused_with_the_way_out(
    operator: Operator, option: str, value: str, expected: str
) -> None:
    operator.run("targets", "add", "phone", "json://127.0.0.1:9/x")
    refused = operator.run("targets", "set", "phone", option, value)
    assert refused.code == 2
    assert expected in " ".join(refused.errors.split())


def test_minutes_that_nothing_takes_are_refused_with_the_way_out(subscribed: Operator) -> None:
    refused = subscribed.run("subscriptions", "add", "--to", "hook", "--min-minutes", "240", "--max-minutes", "60")
    assert refused.code == 2
    assert "min_minutes (240) is more than max_minutes (60), so that no campaign fits; swap them" in refused.errors
    assert len(subscribed.run("subscriptions", "--json").lines) == 1


def test_a_target_is_muted_for_a_while_and_told_again(operator: Operator) -> None:
    operator.run("targets", "add", "phone", "json://127.0.0.1:9/x")
    assert "phone is told nothing of Rust until" in operator.run("targets", "mute", "phone", "3h", "--game", "Rust").out
    assert "muted: nothing of Rust until" in operator.run("inbox", "phone").out
    assert "paused" not in operator.run("inbox", "phone").out
    operator.run("targets", "pause", "phone")
    assert "paused: nothing until `lootwire targets resume`" in operator.run("inbox", "phone").out
    assert "told again" in operator.run("targets", "unmute", "phone", "--game", "RUST").out
    assert "is not muted" in operator.run("targets", "unmute", "phone").out
    past = operator.run("targets", "mute", "phone", "2020-01-01")
    assert past.code == 2
    assert "has passed" in past.errors


def test_a_target_in_another_zone_reads_and_shows_times_by_its_own_clock(subscribed: Operator, now: datetime) -> None:
    subscribed.run("targets", "set", "hook", "--timezone", "Asia/Tokyo", "--digest", "daily at 08:00")
    muted = subscribed.run("targets", "mute", "hook", "2999-12-24T22:00", "--game", "Rust")
    assert "until 2999-12-24 22:00 JST" in muted.out
    with subscribed.engine.connect() as connection:
        assert connection.scalar(select(Mute.until)) == datetime(2999, 12, 24, 13, tzinfo=UTC)
    subscribed.run("import", str(subscribed.snapshots(now)))
    with subscribed.engine.begin() as connection:
        connection.execute(update(Delivery).values(next_attempt_at=datetime(2999, 1, 1, tzinfo=UTC), held_for="digest"))
    shown = subscribed.run("inbox", "hook").out
    assert "2999-01-01 09:00 JST" in shown
    assert "muted: nothing of Rust until 2999-12-24 22:00 JST" in shown
    (waiting, *_) = subscribed.run("inbox", "hook", "--json").lines
    assert waiting["at"] == "2999-01-01T00:00:00Z"
    reason = subscribed.run("why-not", "--target", "hook", "--event", str(waiting["event_id"])).out
    assert "it waits for the digest, until 2999-01-01 09:00 JST" in reason
    assert " 08:00 JST" in subscribed.run("subscriptions", "try", "hook").out


def test_what_is_held_stands_in_the_inbox_and_why_not_says_until_when(
    operator: Operator, hook: WebhookSink, now: datetime
) -> None:
    operator.run("targets", "add", "hook", address(hook), "--private")
    operator.run("targets", "set", "hook", "--digest", "weekly", "--urgent", "none")
    operator.run("subscriptions", "add", "--to", "hook", "--kind", "campaign.added", "--game", "Nothing like it")
    operator.run("import", str(operator.snapshots(now)))
    (event,) = [line for line in operator.run("events", "--json").lines if line["kind"] == "campaign.added"][:1]
    unwanted = operator.run("why-not", "--target", "hook", "--event", str(event["id"]), "--json").lines[0]
    assert unwanted["state"] == "none"
    assert [verdict["failed"] for verdict in unwanted["verdicts"]] == ["games"]
    missing = operator.run("why-not", "--target", "hook", "--event", "999999")
    assert missing.code == 2
    assert "There is no event 999999" in missing.errors


def test_an_operators_target_is_added_changed_and_ended(operator: Operator) -> None:
    added = operator.run(
        "targets", "add", "admin", "json://127.0.0.1:9/x", "--role", "operator", "--heartbeat", "daily at 8:00"
    )
    assert added.code == 0
    assert "admin hears how the installation is, without any subscription" in added.out
    (target,) = operator.run("targets", "--json").lines
    assert (target["role"], target["settings"]) == ("operator", {"heartbeat": {"at": "8:00"}})
    changed = operator.run("targets", "set", "admin", "--heartbeat", "weekly on mon at 08:00")
    assert changed.out.strip() == "admin: heartbeat weekly on mon at 08:00 (in UTC)"
    assert operator.run("targets", "set", "admin", "--heartbeat", "none").code == 0
    assert "settings" in operator.run("targets", "--json").lines[0]
    assert operator.run("targets", "set", "admin", "--role", "none").code == 0
    (target,) = operator.run("targets", "--json").lines
    assert (target["role"], target["settings"]) == (None, {})
    assert operator.run("targets", "set", "admin", "--role", "operator").code == 0


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--role", "king"), "'king'"),
        (("--heartbeat", "daily"), "--heartbeat needs --role operator"),
        (("--role", "operator", "--heartbeat", "hourly"), "--heartbeat: must be daily or weekly"),
        (("--role", "operator", "--heartbeat", "daily at 25:00"), "no time of day"),
    ],
)
def test_a_role_or_a_heartbeat_that_is_none_is_refused_and_changes_nothing(
    operator: Operator, options: tuple[str, ...], expected: str
) -> None:
    operator.run("targets", "add", "phone", "json://127.0.0.1:9/x")
    for command in (("add", "admin", "json://127.0.0.1:9/x"), ("set", "phone")):
        refused = operator.run("targets", *command, *options)
        assert refused.code == 2
        assert expected in " ".join(refused.errors.replace("│", " ").split())
    (target,) = operator.run("targets", "--json").lines
    assert (target["name"], target["role"], target["settings"]) == ("phone", None, {})


def test_what_would_be_told_goes_message_by_message_where_a_digest_gathers_it(
    subscribed: Operator, now: datetime
) -> None:
    subscribed.run("import", str(subscribed.snapshots(now)))
    before = subscribed.run("subscriptions", "try", "hook", "--json").lines
    subscribed.run("targets", "set", "hook", "--digest", "hourly")
    tried = subscribed.run("subscriptions", "try", "hook", "--json").lines
    assert [event["id"] for event in tried] == [event["id"] for event in before]
    sent_events = [event for event in tried if event["message"]]
    assert {event["held_for"] for event in tried} == {"digest"}
    assert all(event["sent_at"].endswith(":00:00Z") for event in sent_events)
    assert len({event["message"] for event in sent_events}) < len(sent_events)
    table = subscribed.run("subscriptions", "try", "hook").out
    assert "(message 1)" in table
    assert f"{len({event['message'] for event in sent_events})} message" in table.splitlines()[-1]


def test_what_a_mute_would_drop_is_said(subscribed: Operator, now: datetime) -> None:
    subscribed.run("import", str(subscribed.snapshots(now)))
    subscribed.run("targets", "mute", "hook", "3h")
    with subscribed.engine.begin() as connection:
        connection.execute(update(Mute).values(created_at=now - timedelta(days=9)))
    tried = subscribed.run("subscriptions", "try", "hook", "--json").lines
    assert all(event["message"] is None and event["dropped"].startswith("muted until") for event in tried)
    assert "dropped" in subscribed.run("subscriptions", "try", "hook").out.splitlines()[-1]


def test_a_private_address_is_said_to_be_refused_and_can_be_allowed(operator: Operator) -> None:
    added = operator.run("targets", "add", "nas", "json://192.168.1.5/hook")
    assert added.code == 0
    assert "lootwire targets set 'nas' --private" in " ".join(added.out.split())
    assert "private yes" in operator.run("targets", "set", "nas", "--private").out
    assert "private" not in operator.run("targets", "set", "nas", "--no-private").out
    assert "private network" not in operator.run("targets", "add", "hook", "json://10.0.0.1/x", "--private").out
    assert "private network" not in operator.run("targets", "add", "far", "json://hook.example.org/x").out
    moved = operator.run("targets", "set", "far", "--url", "json://0x0a000001/x").out
    assert "The address of far is in a private network" in moved
    assert "private network" not in operator.run("targets", "set", "hook", "--url", "json://10.0.0.2/x").out
    settings = {row["name"]: row["settings"] for row in operator.run("targets", "--json").lines}
    assert settings == {"nas": {}, "hook": {"private": True}, "far": {}}


def test_minutes_and_what_has_to_be_bought_are_known_of_campaigns_as_they_come_in(
    operator: Operator, hook: WebhookSink, now: datetime
) -> None:
    end = now + timedelta(days=3)
    listed = [
        campaign("week", name="Week", end=end, drops=[drop("a", 60), drop("b", 240)]),
        campaign("long", name="Long", end=end, drops=[drop("c", 600)]),
        campaign("both", name="Both", end=end, drops=[drop("d", 60), drop("e", 0, requiredSubs=1)]),
        campaign("buy", name="Buy", end=end, drops=[drop("f", 0, requiredSubs=2)]),
    ]
    path = operator.folder / f"{now:%Y-%m-%dT%H%M%SZ}_drops.json"
    path.write_bytes(drops(*listed))
    operator.run("targets", "add", "hook", address(hook), "--private")
    operator.run("subscriptions", "add", "--to", "hook", "--min-minutes", "60", "--max-minutes", "240")
    operator.run("targets", "add", "free", address(hook), "--private")
    operator.run("subscriptions", "add", "--to", "free", "--no-subscriptions", "--kind", "campaign.added")
    operator.run("import", str(path))
    wanted = {name: _names(operator, name) for name in ("hook", "free")}
    assert wanted == {"hook": {"Week", "Both"}, "free": {"Week", "Long", "Both"}}


def _names(operator: Operator, target: str) -> set[str]:
    lines = operator.run("subscriptions", "try", target, "--json").lines
    return {line["title"].rpartition(": ")[2] for line in lines}


def test_a_machine_without_time_zones_of_its_own_has_those_that_come_with_the_program(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONTZPATH", "")
    with operator.start("targets", "add", "me", "json://127.0.0.1/", "--timezone", "Europe/Berlin") as process:
        _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, "")


def test_quiet_hours_without_an_end_are_refused_and_change_nothing(operator: Operator) -> None:
    operator.run("targets", "add", "phone", "json://127.0.0.1:9/x")
    refused = operator.run("targets", "set", "phone", "--quiet", "08:00-20:00", "--quiet", "20:00-08:00")
    assert refused.code == 2
    assert "leave no time of the week, so that nothing would ever be sent" in " ".join(refused.errors.split())
    (target,) = operator.run("targets", "--json").lines
    assert target["settings"] == {}


def test_what_was_refused_is_said_to_be_tried_again_no_sooner_than_its_target_is_sent_anything(
    subscribed: Operator, now: datetime
) -> None:
    subscribed.run("import", str(subscribed.snapshots(now)))
    again_at, rests_until = (datetime(2999, 1, 1, 9, minute, tzinfo=UTC) for minute in (9, 11))
    failed = {"attempts": 1, "last_error": "HTTP 503", "next_attempt_at": again_at}
    with subscribed.engine.begin() as connection:
        connection.execute(update(Delivery).values(failed))
        event = str(connection.scalar(select(Delivery.event_id).limit(1)))
    asked = ("why-not", "--target", "hook", "--event", event)
    expected = "it was refused (HTTP 503) and is tried again, not before 2999-01-01 09:09 UTC"
    assert expected in subscribed.run(*asked).out
    with subscribed.engine.begin() as connection:
        connection.execute(update(Target).values(broken_until=rests_until))
    assert expected.replace("09:09", "09:11") in subscribed.run(*asked).out


def test_history_that_was_told_to_nobody_is_said_to_be_where_rules_are_tried(
    subscribed: Operator, now: datetime
) -> None:
    subscribed.run("import", str(subscribed.snapshots(now)))
    silent = {line["id"] for line in subscribed.run("events", "--json").lines if line["silent"]}
    tried = subscribed.run("subscriptions", "try", "hook", "--json").lines
    assert {line["id"] for line in tried if line["silent"]} == silent & {line["id"] for line in tried} != set()
    count = sum(line["silent"] for line in tried)
    summary = subscribed.run("subscriptions", "try", "hook").out.splitlines()[-1]
    assert f"{count} of them history that was told to nobody when it came" in summary


@pytest.mark.parametrize("urgent", ["campain.last_chance", ""])
def test_an_urgent_kind_that_is_none_is_refused(operator: Operator, urgent: str) -> None:
    operator.run("targets", "add", "phone", "json://127.0.0.1:9/x")
    refused = operator.run("targets", "set", "phone", "--urgent", urgent)
    assert (refused.code, "--urgent: Unknown kind" in refused.errors) == (2, True), refused
    assert "urgent" not in operator.run("targets", "--json").lines[0]["settings"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--category", "Gloomtdie"), "no category named 'Gloomtdie' is known yet (did you mean Gloomtide?)"),
        (("--platform", "Switsch"), "no platform named 'Switsch' is known yet"),
        (("--platform", "PC (Microsoft Windows)"), "is known yet (did you mean PC?)"),
    ],
)
def test_a_category_or_a_platform_that_nothing_is_called_is_told(
    knowing: Operator, options: tuple[str, str], expected: str
) -> None:
    added = knowing.run("subscriptions", "add", "--to", "hook", *options)
    assert (added.code, expected in added.errors) == (0, True), added
    assert "is known" not in knowing.run("subscriptions", "add", "--to", "hook", "--platform", "pc").errors


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--language", "german"), "'german' is no language of streams"),
        (("--require", "?!"), "'?!' is no word"),
    ],
)
def test_a_word_or_a_language_that_is_none_is_refused(
    knowing: Operator, options: tuple[str, str], expected: str
) -> None:
    refused = knowing.run("subscriptions", "add", "--to", "hook", *options)
    assert (refused.code, expected in refused.errors) == (2, True), refused
