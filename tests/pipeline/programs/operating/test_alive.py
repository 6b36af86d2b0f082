"""An operator's heartbeat comes once in its period, at the time of its target's zone."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import insert, select

from models import Event, Source
from models.details import OperatorDetail, detail_from_json
from notifiers.settings import change_settings
from notifiers.timing.settings import Digest
from pipeline.demo.sinks import WebhookSink
from tests.pipeline.programs.operating.world import DAY, HOUR, MINUTE, Operated

DAILY = Digest(every="day", at="08:00")
WEEKLY = Digest(every="week", at="08:00", day="mon")


def heartbeats(installation: Operated, target: str = "home") -> list[str]:
    return [title for title in installation.titles(target) if title.startswith("Alive")]


def at(written: str) -> datetime:
    return datetime.fromisoformat(written).replace(tzinfo=UTC)


def test_a_heartbeat_says_how_all_is_going(installation: Operated) -> None:
    installation.target(None, "home", heartbeat=DAILY)
    with installation.engine.begin() as connection:
        for number in range(14):
            row = {"name": f"s{number}", "service": "twitch", "next_due_at": installation.now}
            connection.execute(insert(Source).values(row))
    with WebhookSink() as sink:
        installation.target(sink, "phone", role=None)
        installation.subscribe("phone", "campaign.added")
        installation.passes(MINUTE)
        for _ in range(3):
            installation.campaign()
            installation.deliver()
        assert len(sink.messages) == 3
    installation.passes(20 * HOUR)
    assert heartbeats(installation) == ["Alive: 14 sources healthy, 3 messages sent, oldest waiting 0"]
    installation.minutes(3)
    assert len(heartbeats(installation)) == 1
    with installation.engine.connect() as connection:
        stored = connection.scalars(select(Event.detail).where(Event.kind == "operator.heartbeat")).one()
    detail = detail_from_json("operator.heartbeat", stored)
    assert isinstance(detail, OperatorDetail)
    assert (detail.sources_healthy, detail.messages_sent, detail.messages_waiting) == (14, 3, 0)
    assert detail.due_at == at("2026-11-21 08:00")


def test_each_operator_has_its_own_heartbeat_at_its_own_time(installation: Operated) -> None:
    installation.target(None, "berlin", heartbeat=DAILY, timezone="Europe/Berlin")
    installation.target(None, "seoul", heartbeat=DAILY, timezone="Asia/Seoul")
    installation.passes(MINUTE)
    installation.now = at("2026-11-20 22:59")
    installation.passes(MINUTE)
    assert (len(heartbeats(installation, "berlin")), len(heartbeats(installation, "seoul"))) == (0, 1)
    installation.now = at("2026-11-21 06:59")
    installation.passes(MINUTE)
    assert (len(heartbeats(installation, "berlin")), len(heartbeats(installation, "seoul"))) == (1, 1)
    assert heartbeats(installation, "admin") == []


@pytest.mark.parametrize(("heartbeat", "expected"), [(DAILY, 1), (WEEKLY, 1)])
def test_a_machine_that_was_off_is_late_and_says_it_once(
    installation: Operated, heartbeat: Digest, expected: int
) -> None:
    installation.target(None, "home", heartbeat=heartbeat)
    installation.passes(MINUTE)
    installation.was_off(30 * DAY)
    installation.minutes(2)
    assert len(heartbeats(installation)) == expected


def test_a_weekly_heartbeat_comes_once_a_week(installation: Operated) -> None:
    installation.target(None, "home", heartbeat=WEEKLY)
    for _ in range(21):
        installation.passes(DAY)
    assert len(heartbeats(installation)) == 3


@pytest.mark.parametrize("time", ["02:30", "08:00"])
@pytest.mark.parametrize(
    "begins", [at("2026-03-27 12:00"), at("2026-10-23 12:00")], ids=["an hour is skipped", "an hour is repeated"]
)
def test_there_is_one_a_day_when_clocks_change(installation: Operated, begins: datetime, time: str) -> None:
    installation.now = begins
    installation.target(None, "home", heartbeat=Digest(every="day", at=time), timezone="Europe/Berlin")
    installation.passes(MINUTE)
    counts = []
    for _ in range(4):
        # Once in each of the hours that may be one and the same.
        for span in (12.75, 1, 10.25):
            installation.passes(span * HOUR)
        counts.append(len(heartbeats(installation)))
    assert counts == [1, 2, 3, 4]


def test_a_heartbeat_names_what_is_wrong(installation: Operated) -> None:
    installation.target(None, "home", heartbeat=DAILY)
    installation.passes(MINUTE)
    installation.block_publishing()
    installation.passes(DAY)
    assert heartbeats(installation)[0].endswith(", 1 trouble")


def test_one_that_is_asked_for_later_or_moved_comes_at_its_next_time(installation: Operated) -> None:
    installation.target(None, "home", heartbeat=DAILY)
    installation.passes(MINUTE)
    installation.passes(DAY)
    with installation.engine.begin() as connection:
        change_settings(connection, "home", {"heartbeat": None}, installation.now)
    installation.passes(10 * DAY)
    with installation.engine.begin() as connection:
        change_settings(connection, "home", {"heartbeat": DAILY}, installation.now)
    installation.minutes(2)
    assert len(heartbeats(installation)) == 1
    installation.passes(DAY)
    assert len(heartbeats(installation)) == 2


def test_no_heartbeat_comes_by_a_clock_that_is_doubted(installation: Operated) -> None:
    installation.target(None, "home", heartbeat=DAILY)
    installation.passes(MINUTE)
    installation.is_clock_doubted = True
    installation.passes(DAY)
    assert heartbeats(installation) == []
    installation.is_clock_doubted = False
    installation.passes(MINUTE)
    assert len(heartbeats(installation)) == 1


def test_who_subscribed_to_what_operators_hear_hears_heartbeats_as_well(installation: Operated) -> None:
    installation.target(None, "home", heartbeat=DAILY)
    for name, kinds in {"family": "operator.*", "itself": "operator.heartbeat", "all": "*"}.items():
        installation.target(None, name, role=None)
        installation.subscribe(name, kinds)
    # One that its operator asked for twice comes once.
    installation.subscribe("home", "operator.*")
    installation.passes(MINUTE)
    installation.passes(20 * HOUR)
    heard = {name: len(heartbeats(installation, name)) for name in ("home", "family", "itself", "all", "admin")}
    assert heard == {"home": 1, "family": 1, "itself": 1, "all": 0, "admin": 0}
