"""Deliveries are held until their target wants them, and dropped where nobody wants them by then."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from models import Mute
from models.details import CampaignDetail
from models.names import name_key
from notifiers import held, targets
from notifiers.timing.settings import Digest, TargetSettings, Window, settings_to_json
from tests.notifiers.world import Notifying

# The world's clock starts at noon, UTC.
NIGHT = TargetSettings(quiet=(Window(begins="22:00", ends="07:00"),))
DAILY = TargetSettings(digest=Digest(at="18:00"))
SEVEN = datetime(2026, 11, 21, 7, tzinfo=UTC)


@pytest.fixture
def wants(world: Notifying) -> Any:
    def set_up(settings: TargetSettings, **subscription: Any) -> None:
        world.target(**subscription)
        world.change_target("phone", settings=settings_to_json(settings))

    return set_up


def taken(world: Notifying) -> list[str]:
    """Claim the next message, take it for sent, and return the titles that are in it."""
    return [event.title for message in world.claim() for event in message.events]


def states(world: Notifying) -> list[tuple[str, str | None, str | None]]:
    return [(row.state, row.held_for, row.last_error) for row in world.deliveries()]


def test_a_night_is_quiet_and_its_messages_come_as_one_in_the_morning(world: Notifying, wants: Any) -> None:
    wants(NIGHT)
    world.later(hours=11)
    world.event("one")
    assert taken(world) == []
    world.later(hours=2)
    world.event("two")
    assert taken(world) == []
    assert states(world) == [("pending", "quiet", None)] * 2
    assert {row.next_attempt_at for row in world.deliveries()} == {SEVEN}
    world.now = SEVEN
    assert taken(world) == ["one", "two"]


def test_what_ended_in_the_night_is_dropped_in_the_morning(world: Notifying, wants: Any) -> None:
    wants(NIGHT)
    world.later(hours=11)
    world.event("short", detail=CampaignDetail(end_at=SEVEN - timedelta(hours=2)))
    world.event("long", detail=CampaignDetail(end_at=SEVEN + timedelta(hours=2)))
    assert taken(world) == []
    world.now = SEVEN
    assert taken(world) == ["long"]
    assert states(world)[0] == ("dropped", "quiet", "it had ended (2026-11-21 05:00 UTC) before this could be sent")


def test_a_stream_that_was_over_by_the_morning_is_dropped_and_its_end_is_told(world: Notifying, wants: Any) -> None:
    wants(NIGHT)
    world.later(hours=11)
    world.event("on", kind="stream.online", channel="ann")
    world.event("off", kind="stream.offline")
    with world.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE events SET channel_id = (SELECT max(channel_id) FROM events)")
    assert taken(world) == []
    world.now = SEVEN
    assert taken(world) == ["off"]
    assert states(world)[0][2] == "the stream was over before this could be sent"


def test_what_is_urgent_pierces_the_night(world: Notifying, wants: Any) -> None:
    wants(NIGHT)
    world.later(hours=11)
    world.event("later")
    world.event("now", kind="campaign.last_chance")
    assert taken(world) == ["now"]


def test_a_message_that_failed_waits_for_the_morning_too(world: Notifying, wants: Any) -> None:
    wants(NIGHT)
    world.later(hours=9, minutes=59)
    world.event("evening")
    (message,) = world.claim()
    world.fail(message)
    world.later(hours=1)
    assert taken(world) == []
    world.now = SEVEN
    assert taken(world) == ["evening"]


def test_what_a_dead_sender_had_under_way_is_held_too_and_may_have_arrived(world: Notifying, wants: Any) -> None:
    wants(NIGHT)
    world.later(hours=9, minutes=59)
    world.event("evening")
    world.claim(lease_seconds=30)
    world.later(minutes=2)
    assert taken(world) == []
    world.now = SEVEN
    (message,) = world.claim()
    assert message.may_have_arrived


def test_a_digest_gathers_until_its_time_and_more_than_a_burst_has(world: Notifying, wants: Any) -> None:
    wants(DAILY)
    for number in range(50):
        world.event(str(number))
    assert taken(world) == []
    world.later(hours=6)
    assert len(taken(world)) == 50


def test_what_comes_after_a_digest_waits_for_the_next(world: Notifying, wants: Any) -> None:
    wants(DAILY)
    world.later(hours=6, seconds=1)
    world.event("late")
    assert taken(world) == []
    world.later(hours=23, minutes=59)
    world.later(seconds=59)
    assert taken(world) == ["late"]


def test_a_burst_becomes_one_message(world: Notifying, wants: Any) -> None:
    wants(TargetSettings(burst_seconds=60, burst_longest_seconds=100))
    world.event("first")
    assert taken(world) == []
    world.later(seconds=50)
    world.event("second")
    assert taken(world) == []
    world.later(seconds=20)
    assert taken(world) == []
    world.later(seconds=30)
    assert taken(world) == ["first", "second"]


def test_many_targets_whose_messages_are_held_keep_no_other_from_its_own(world: Notifying) -> None:
    for number in range(30):
        world.target(f"night{number}")
        world.change_target(f"night{number}", settings=settings_to_json(DAILY))
    world.target("now")
    world.event("news")
    claimed = [message.target for _ in range(20) for message in world.claim(limit=4)]
    assert claimed == ["now"]


def mute(world: Notifying, hours: float, game: str | None = None) -> None:
    with world.engine.begin() as connection:
        row = {"target_id": targets.target_id_of(connection, "phone"), "game": game, "created_at": world.now}
        row |= {"game_key": name_key(game) if game else None, "until": world.now + timedelta(hours=hours)}
        connection.execute(insert(Mute).values(row))


def test_of_what_happens_while_it_is_muted_a_target_is_never_told(world: Notifying, wants: Any) -> None:
    wants(TargetSettings())
    mute(world, 3)
    world.event("unheard")
    assert taken(world) == []
    assert states(world) == [("dropped", None, "muted until 2026-11-20 15:00 UTC")]
    world.later(hours=3)
    world.event("heard")
    assert taken(world) == ["heard"]


def test_a_muted_game_mutes_no_other(world: Notifying, wants: Any) -> None:
    wants(TargetSettings())
    mute(world, 3, "Rust")
    world.event("unheard", game="RUST")
    world.event("heard", game="Palia")
    world.event("heard too")
    assert taken(world) == ["heard", "heard too"]


def test_what_is_held_is_looked_at_again_when_the_settings_change(world: Notifying, wants: Any) -> None:
    wants(DAILY)
    world.event("news")
    assert taken(world) == []
    world.change_target("phone", settings={})
    with world.engine.begin() as connection:
        assert held.let_go(connection, targets.target_id_of(connection, "phone"), world.now) == 1
    assert taken(world) == ["news"]


def test_the_night_is_that_of_the_target(world: Notifying, wants: Any) -> None:
    wants(NIGHT)
    world.change_target("phone", timezone="Asia/Tokyo")
    world.later(hours=1)
    world.event("at ten in Tokyo")
    assert taken(world) == []
    assert world.deliveries()[0].next_attempt_at == datetime(2026, 11, 20, 22, tzinfo=UTC)
