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
def installation(engine: Engine, tmp_path: Path) -> Installation:
    return Installation(engine, tmp_path)


def test_several_platforms_of_one_day_are_one_event(installation: Installation) -> None:
    installation.target()
    rows = [dated(1, THE_DAY), dated(2, THE_DAY, platform=PS5), dated(3, THE_DAY, platform=PS5, release_region=5)]
    installation.follow(*rows, dated(4, THE_DAY, platform=SWITCH, status=3), dated(5, THE_DAY, Q4, SWITCH))

    assert installation.tick(MIDNIGHT - timedelta(seconds=1)) == {}
    assert installation.tick(MIDNIGHT) == {EventKind.RELEASE_OUT: 2}
    assert installation.tick(MIDNIGHT) == {}
    assert installation.tick(MIDNIGHT + timedelta(days=3)) == {}

    assert installation.titles() == [
        f"{NAME} is out (PC, PlayStation 5, PlayStation 5 (Japan)) – 24 November 2026",
        f"{NAME} is out in early access (Nintendo Switch) – 24 November 2026",
    ]
    assert installation.due() == {"phone": MIDNIGHT}


def test_a_period_never_comes_out_on_its_last_day(installation: Installation) -> None:
    installation.follow(
        dated(1, THE_DAY, Q4), dated(2, THE_DAY, YEAR, PS5), dated(3, THE_DAY, status=4), dated(4, THE_DAY, status=5)
    )

    assert installation.tick(MIDNIGHT) == {}


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
def test_each_target_is_told_when_the_day_begins_there(
    installation: Installation, timezone: str, begins_at: datetime
) -> None:
    installation.target("there", timezone)
    installation.target("here")
    installation.follow(dated(1, THE_DAY))

    assert installation.tick(min(begins_at, MIDNIGHT) - timedelta(seconds=1)) == {}
    assert installation.tick(min(begins_at, MIDNIGHT)) == OUT

    assert installation.due() == {"there": begins_at, "here": MIDNIGHT}
    assert [event.occurred_at for event in installation.events()] == [min(begins_at, MIDNIGHT)]
    for name in ("there", "here"):
        assert not _is_sent(installation, installation.due()[name] - timedelta(seconds=1), name)
        assert _is_sent(installation, installation.due()[name], name)


def test_from_the_first_zone_to_the_last_nobody_is_told_twice(installation: Installation) -> None:
    for number, offset in enumerate(range(-14, 13)):
        installation.target(f"t{number}", f"Etc/GMT{offset:+d}")
    installation.follow(dated(1, THE_DAY))

    rounds = [installation.tick(MIDNIGHT + hour * HOUR) for hour in range(-16, 16)]

    assert sum((events.total() for events in rounds), 0) == 1
    assert sorted(installation.due().values()) == [MIDNIGHT + hour * HOUR for hour in range(-14, 13)]


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
    installation: Installation, days_late: int, events: dict[EventKind, int]
) -> None:
    installation.target()
    installation.follow(dated(1, THE_DAY))

    late = MIDNIGHT + timedelta(days=days_late, hours=1)

    assert installation.tick(late) == events
    assert installation.tick(late) == {}
    assert installation.due() == ({"phone": late} if events else {})


def test_a_release_that_nobody_announced_is_told_when_it_is_listed(installation: Installation) -> None:
    installation.follow()
    installation.tick(MIDNIGHT + timedelta(days=2))

    installation.sync(dated(1, THE_DAY))

    assert installation.tick() == OUT


def test_a_game_wanted_on_its_release_day_is_told_and_one_wanted_later_is_silent(installation: Installation) -> None:
    installation.now = MIDNIGHT + 20 * HOUR
    installation.follow(dated(1, THE_DAY))
    assert installation.tick() == OUT
    installation.now = MIDNIGHT + 37 * HOUR
    installation.want(2)
    installation.sync(dated(1, THE_DAY), igdb_id=2)
    assert installation.tick() == OUT

    assert len(installation.titles()) == 1
    assert [event.kind for event in installation.events(silent=True)].count(EventKind.RELEASE_OUT) == 1


def test_a_platform_that_is_listed_late_is_told_for_itself(installation: Installation) -> None:
    installation.follow(dated(1, THE_DAY))
    installation.tick(MIDNIGHT)

    installation.sync(dated(1, THE_DAY), dated(2, THE_DAY, platform=PS5))

    assert installation.tick() == OUT
    assert installation.titles()[-1] == f"{NAME} is out (PlayStation 5) – 24 November 2026"


@pytest.mark.parametrize("right", [THE_DAY, THE_DAY - timedelta(days=1)])
def test_a_day_that_was_told_is_not_told_again_by_another_row_or_put_right(
    installation: Installation, right: date
) -> None:
    installation.follow(dated(1, THE_DAY))
    installation.tick(MIDNIGHT + 37 * HOUR)
    events_before = len(installation.events())

    installation.sync(dated(2, right))
    assert installation.tick() == {}
    installation.sync(dated(2, right - timedelta(days=1)))
    assert installation.tick() == {}

    assert len(installation.events()) == events_before


def test_a_delay_at_the_last_moment_takes_back_what_still_waits(installation: Installation) -> None:
    installation.target("kiritimati", "Pacific/Kiritimati")
    installation.target("hawaii", "Pacific/Honolulu")
    installation.follow(dated(1, THE_DAY), dated(2, THE_DAY, platform=PS5))
    assert installation.tick(MIDNIGHT - 14 * HOUR) == OUT
    assert _send(installation) == ["kiritimati"]

    # The game still comes out on one platform: the delivery stays.
    installation.sync(dated(1, date(2026, 12, 24)), dated(2, THE_DAY, platform=PS5))
    assert _waiting(installation, EventKind.RELEASE_OUT) == ["hawaii"]
    installation.sync(dated(1, date(2026, 12, 24)), dated(2, date(2026, 12, 24), platform=PS5))
    assert _waiting(installation, EventKind.RELEASE_OUT) == []

    # On the new day one event names both platforms.
    assert installation.tick(datetime(2026, 12, 24, tzinfo=UTC)) == OUT
    assert installation.titles()[-1] == f"{NAME} is out (PC, PlayStation 5) – 24 December 2026"


def test_another_time_zone_moves_what_waits(installation: Installation) -> None:
    installation.target("phone", "Pacific/Kiritimati")
    installation.target("other", "Pacific/Kiritimati")
    installation.follow(dated(1, THE_DAY))
    installation.tick(MIDNIGHT - 14 * HOUR)

    with installation.engine.begin() as connection:
        changed = targets.change_target(connection, "phone", timezone="america/new york")
        assert changed.timezone == "America/New_York"

    assert installation.due() == {"phone": MIDNIGHT + 5 * HOUR, "other": MIDNIGHT - 14 * HOUR}


def test_a_time_zone_that_nobody_knows_is_refused_or_read_as_utc(installation: Installation) -> None:
    installation.target("phone", "Europe/Berlin")
    with installation.engine.begin() as connection, pytest.raises(TargetError, match="no time zone 'Mars/Olympus'"):
        targets.change_target(connection, "phone", timezone="Mars/Olympus")
    # The database of zones of another machine may lack one.
    with installation.engine.begin() as connection:
        connection.execute(update(Target).values(timezone="Mars/Olympus"))
        assert begins_first(connection, MIDNIGHT) == THE_DAY
    installation.follow(dated(1, THE_DAY))

    assert installation.tick(MIDNIGHT) == OUT
    assert installation.due() == {"phone": MIDNIGHT}


def test_two_clocks_at_once_tell_a_day_once(installation: Installation) -> None:
    installation.follow(dated(1, THE_DAY))
    installation.tick(MIDNIGHT)
    with installation.engine.begin() as connection:
        connection.execute(update(ReleaseDate).values(told_at=None))

    assert installation.tick(MIDNIGHT) == {}
    assert len(installation.rows(Event)) == 3


def _is_sent(installation: Installation, at: datetime, target: str) -> bool:
    """Whether a delivery to a target is due at a moment; nothing is sent."""
    with installation.engine.connect() as connection:
        return target in [delivery.target for delivery in outbox.claim(connection, at, limit=50)]


def _send(installation: Installation) -> list[str]:
    """Mark the due deliveries as sent; returns the names of their targets."""
    with installation.engine.begin() as connection:
        claimed = outbox.claim(connection, installation.now, limit=50)
        for delivery in claimed:
            outbox.settle_sent(connection, delivery, installation.now)
        return [delivery.target for delivery in claimed]


def _waiting(installation: Installation, kind: EventKind) -> list[str]:
    events = {event.id for event in installation.events() if event.kind == kind}
    names = {row.id: row.name for row in installation.rows(Target)}
    return [
        names[row.target_id] for row in installation.rows(Delivery) if row.event_id in events and row.state == "pending"
    ]
