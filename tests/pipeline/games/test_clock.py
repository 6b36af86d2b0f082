"""A release is told on its day: when that begins where the target is, once, and also after nothing ran for a while."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, update

from models import Delivery, Event, ReleaseDate, Target
from models.events import EventKind
from notifiers import outbox, targets
from notifiers.days import begins_first, day_begins, zone
from notifiers.errors import TargetError
from tests.pipeline.games.releases.releasing import HOUR, PS5, Q4, SWITCH, YEAR, Installation, dated

NAME = "Lanterns of Aldmoor"
THE_DAY = date(2026, 11, 24)
MIDNIGHT = datetime(2026, 11, 24, tzinfo=UTC)
OUT = {EventKind.RELEASE_OUT: 1}


@pytest.fixture
def here(engine: Engine, tmp_path: Path) -> Installation:
    return Installation(engine, tmp_path)


def test_several_platforms_of_one_day_are_one_event(here: Installation) -> None:
    here.target()
    rows = [dated(1, THE_DAY), dated(2, THE_DAY, platform=PS5), dated(3, THE_DAY, platform=PS5, release_region=5)]
    here.follow(*rows, dated(4, THE_DAY, platform=SWITCH, status=3), dated(5, THE_DAY, Q4, SWITCH))

    assert here.tick(MIDNIGHT - timedelta(seconds=1)) == {}
    assert here.tick(MIDNIGHT) == {EventKind.RELEASE_OUT: 2}
    assert here.tick(MIDNIGHT) == {}
    assert here.tick(MIDNIGHT + timedelta(days=3)) == {}

    assert here.titles() == [
        f"{NAME} is out (PC, PlayStation 5, PlayStation 5 (Japan)) – 24 November 2026",
        f"{NAME} is out in early access (Nintendo Switch) – 24 November 2026",
    ]
    assert here.due() == {"phone": MIDNIGHT}


def test_a_period_never_comes_out_on_its_last_day(here: Installation) -> None:
    here.follow(
        dated(1, THE_DAY, Q4), dated(2, THE_DAY, YEAR, PS5), dated(3, THE_DAY, status=4), dated(4, THE_DAY, status=5)
    )

    assert here.tick(MIDNIGHT) == {}


@pytest.mark.parametrize(
    ("timezone", "begins_at"),
    [
        ("Pacific/Kiritimati", MIDNIGHT - 14 * HOUR),
        ("Asia/Tokyo", MIDNIGHT - 9 * HOUR),
        ("Asia/Kathmandu", MIDNIGHT - timedelta(hours=5, minutes=45)),
        ("Europe/Berlin", MIDNIGHT - HOUR),
        ("UTC", MIDNIGHT),
        ("America/New_York", MIDNIGHT + 5 * HOUR),
        ("Etc/GMT+12", MIDNIGHT + 12 * HOUR),
    ],
)
def test_each_target_is_told_when_the_day_begins_there(here: Installation, timezone: str, begins_at: datetime) -> None:
    here.target("there", timezone)
    here.target("here")
    here.follow(dated(1, THE_DAY))

    assert here.tick(min(begins_at, MIDNIGHT) - timedelta(seconds=1)) == {}
    assert here.tick(min(begins_at, MIDNIGHT)) == OUT

    assert here.due() == {"there": begins_at, "here": MIDNIGHT}
    assert [event.occurred_at for event in here.events()] == [min(begins_at, MIDNIGHT)]
    for name in ("there", "here"):
        assert not _is_sent(here, here.due()[name] - timedelta(seconds=1), name)
        assert _is_sent(here, here.due()[name], name)


def test_from_the_first_zone_to_the_last_nobody_is_told_twice(here: Installation) -> None:
    for number, offset in enumerate(range(-14, 13)):
        here.target(f"t{number}", f"Etc/GMT{offset:+d}")
    here.follow(dated(1, THE_DAY))

    rounds = [here.tick(MIDNIGHT + hour * HOUR) for hour in range(-16, 16)]

    assert sum((events.total() for events in rounds), 0) == 1
    assert sorted(here.due().values()) == [MIDNIGHT + hour * HOUR for hour in range(-14, 13)]


@pytest.mark.parametrize(
    ("timezone", "day", "begins_at"),
    [
        # The night in which clocks go forward, the one in which they go back, and one in which midnight is skipped.
        ("Europe/Berlin", date(2027, 3, 28), datetime(2027, 3, 27, 23, tzinfo=UTC)),
        ("Europe/Berlin", date(2027, 3, 29), datetime(2027, 3, 28, 22, tzinfo=UTC)),
        ("Europe/Berlin", date(2026, 10, 25), datetime(2026, 10, 24, 22, tzinfo=UTC)),
        ("America/Havana", date(2027, 3, 14), datetime(2027, 3, 14, 5, tzinfo=UTC)),
        ("America/Santiago", date(2026, 9, 6), datetime(2026, 9, 6, 4, tzinfo=UTC)),
    ],
)
def test_a_day_begins_at_its_first_moment_when_clocks_change(timezone: str, day: date, begins_at: datetime) -> None:
    assert day_begins(day, zone(timezone)) == begins_at


@pytest.mark.parametrize(("days_late", "events"), [(1, OUT), (7, OUT), (8, {})])
def test_a_day_that_passed_while_nothing_ran_is_told_once_if_it_is_not_long_ago(
    here: Installation, days_late: int, events: dict[EventKind, int]
) -> None:
    here.target()
    here.follow(dated(1, THE_DAY))

    late = MIDNIGHT + timedelta(days=days_late, hours=1)

    assert here.tick(late) == events
    assert here.tick(late) == {}
    assert here.due() == ({"phone": late} if events else {})


def test_a_release_that_nobody_announced_is_told_when_it_is_listed(here: Installation) -> None:
    here.follow()
    here.tick(MIDNIGHT + timedelta(days=2))

    here.sync(dated(1, THE_DAY))

    assert here.tick() == OUT


def test_who_comes_after_the_day_is_not_told_and_who_comes_on_it_is(here: Installation) -> None:
    here.now = MIDNIGHT + 20 * HOUR
    here.follow(dated(1, THE_DAY))
    assert here.tick() == OUT
    here.now = MIDNIGHT + 37 * HOUR
    here.want(2)
    here.sync(dated(1, THE_DAY), igdb_id=2)
    assert here.tick() == OUT

    assert len(here.titles()) == 1
    assert [event.kind for event in here.events(silent=True)].count(EventKind.RELEASE_OUT) == 1


def test_a_platform_that_is_listed_late_is_told_for_itself(here: Installation) -> None:
    here.follow(dated(1, THE_DAY))
    here.tick(MIDNIGHT)

    here.sync(dated(1, THE_DAY), dated(2, THE_DAY, platform=PS5))

    assert here.tick() == OUT
    assert here.titles()[-1] == f"{NAME} is out (PlayStation 5) – 24 November 2026"


@pytest.mark.parametrize("right", [THE_DAY, THE_DAY - timedelta(days=1)])
def test_a_day_that_was_told_is_not_told_again_by_another_row_or_put_right(here: Installation, right: date) -> None:
    here.follow(dated(1, THE_DAY))
    here.tick(MIDNIGHT + 37 * HOUR)
    events_before = len(here.events())

    here.sync(dated(2, right))
    assert here.tick() == {}
    here.sync(dated(2, right - timedelta(days=1)))
    assert here.tick() == {}

    assert len(here.events()) == events_before


def test_a_delay_at_the_last_moment_takes_back_what_still_waits(here: Installation) -> None:
    here.target("kiritimati", "Pacific/Kiritimati")
    here.target("hawaii", "Pacific/Honolulu")
    here.follow(dated(1, THE_DAY), dated(2, THE_DAY, platform=PS5))
    assert here.tick(MIDNIGHT - 14 * HOUR) == OUT
    assert _send(here) == ["kiritimati"]

    # The game still comes out on one platform: the delivery stays.
    here.sync(dated(1, date(2026, 12, 24)), dated(2, THE_DAY, platform=PS5))
    assert _waiting(here, EventKind.RELEASE_OUT) == ["hawaii"]
    here.sync(dated(1, date(2026, 12, 24)), dated(2, date(2026, 12, 24), platform=PS5))
    assert _waiting(here, EventKind.RELEASE_OUT) == []

    # On the new day one event names both platforms.
    assert here.tick(datetime(2026, 12, 24, tzinfo=UTC)) == OUT
    assert here.titles()[-1] == f"{NAME} is out (PC, PlayStation 5) – 24 December 2026"


def test_another_time_zone_moves_what_waits(here: Installation) -> None:
    here.target("phone", "Pacific/Kiritimati")
    here.target("other", "Pacific/Kiritimati")
    here.follow(dated(1, THE_DAY))
    here.tick(MIDNIGHT - 14 * HOUR)

    with here.engine.begin() as connection:
        assert targets.set_timezone(connection, "phone", "america/new york") == "America/New_York"

    assert here.due() == {"phone": MIDNIGHT + 5 * HOUR, "other": MIDNIGHT - 14 * HOUR}


def test_a_time_zone_that_nobody_knows_is_refused_or_read_as_utc(here: Installation) -> None:
    here.target("phone", "Europe/Berlin")
    with here.engine.begin() as connection, pytest.raises(TargetError, match="no time zone 'Mars/Olympus'"):
        targets.set_timezone(connection, "phone", "Mars/Olympus")
    # The database of zones of another machine may lack one.
    with here.engine.begin() as connection:
        connection.execute(update(Target).values(timezone="Mars/Olympus"))
        assert begins_first(connection, MIDNIGHT) == THE_DAY
    here.follow(dated(1, THE_DAY))

    assert here.tick(MIDNIGHT) == OUT
    assert here.due() == {"phone": MIDNIGHT}


def test_two_clocks_at_once_tell_a_day_once(here: Installation) -> None:
    here.follow(dated(1, THE_DAY))
    here.tick(MIDNIGHT)
    with here.engine.begin() as connection:
        connection.execute(update(ReleaseDate).values(told_at=None))

    assert here.tick(MIDNIGHT) == {}
    assert len(here.rows(Event)) == 3


def _is_sent(here: Installation, at: datetime, target: str) -> bool:
    """Whether a delivery to a target is due at a moment; nothing is sent."""
    with here.engine.connect() as connection:
        return target in [delivery.target for delivery in outbox.claim(connection, at, limit=50)]


def _send(here: Installation) -> list[str]:
    """Mark the due deliveries as sent; returns the names of their targets."""
    with here.engine.begin() as connection:
        claimed = outbox.claim(connection, here.now, limit=50)
        for delivery in claimed:
            outbox.settle_sent(connection, delivery, here.now)
        return [delivery.target for delivery in claimed]


def _waiting(here: Installation, kind: EventKind) -> list[str]:
    events = {event.id for event in here.events() if event.kind == kind}
    names = {row.id: row.name for row in here.rows(Target)}
    return [names[row.target_id] for row in here.rows(Delivery) if row.event_id in events and row.state == "pending"]
