"""A last chance reaches a person while "start now" is true, and where it cannot it is dropped.

Campaigns are ingested, their warnings made by the clock and their messages claimed, as the programs do it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from models import Delivery, Target
from models.vault import Vault
from notifiers import outbox, targets
from notifiers.subscriptions import add_subscription
from notifiers.timing.settings import Digest, TargetSettings, Window, settings_to_json
from tests.pipeline.builders import NOON, campaign, drop, drops, stamp
from tests.pipeline.world import Ingesting

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
QUIET = TargetSettings(urgent=(), quiet=(Window(begins="00:00", ends="21:30"),))
DIGEST = TargetSettings(urgent=(), digest=Digest(at="21:30"))
BURST = TargetSettings(urgent=(), burst_seconds=3600, burst_longest_seconds=3600)
# Midnight: when the campaigns of these tests end.
END = NOON + 12 * HOUR


@dataclass
class Telephone:
    """A target that hears of last chances alone, and the world in which they come about."""

    world: Ingesting

    def hears(self, payload: bytes) -> None:
        """Have campaigns listed by a source that is known already."""
        self.world.ingest(drops(campaign("before")))
        self.world.ingest(payload, minutes=1)

    def set(self, settings: TargetSettings) -> None:
        with self.world.engine.begin() as connection:
            connection.execute(update(Target).values(settings=settings_to_json(settings)))

    def at(self, at: datetime) -> list[outbox.ClaimedMessage]:
        """Let the clock go to a time, and claim the messages that may go then."""
        self.world.advance(seconds=(at - self.world.now).total_seconds())
        with self.world.engine.begin() as connection:
            return outbox.claim(connection, at, limit=5)

    def titles(self, at: datetime) -> list[str]:
        return [event.title.partition(" on Twitch")[0] for message in self.at(at) for event in message.events]

    def fates(self) -> list[tuple[str, str | None]]:
        with self.world.engine.connect() as connection:
            rows = connection.execute(select(Delivery.state, Delivery.last_error).order_by(Delivery.id))
            return [(row.state, row.last_error) for row in rows]


@pytest.fixture
def telephone(world: Ingesting, vault: Vault) -> Telephone:
    with world.engine.begin() as connection:
        targets.add_target(connection, vault, "phone", "json://127.0.0.1:9/x", world.now, private=True)
        add_subscription(connection, "phone", world.now, kinds=["campaign.last_chance"])
    return Telephone(world)


def today(*listed: Any) -> bytes:
    return drops(campaign("a", startAt=stamp(NOON), end=END, drops=listed))


TOO_LATE = ("dropped", "there was no time left to earn it before this could be sent")


def test_a_warning_reaches_a_person_ten_minutes_before_it_is_too_late(telephone: Telephone) -> None:
    telephone.hears(today(drop("hat", 45)))

    assert telephone.titles(END - 56 * MINUTE) == []
    assert telephone.titles(END - 55 * MINUTE) == ["Start now, ends 05 Mar 00:00 UTC"]


@pytest.mark.parametrize("settings", [QUIET, DIGEST], ids=["quiet hours", "a digest"])
@pytest.mark.parametrize(("minutes", "goes"), [(149, True), (151, False)])
def test_what_is_held_goes_only_where_there_is_time_left(
    telephone: Telephone, settings: TargetSettings, minutes: int, goes: bool
) -> None:
    telephone.set(settings)
    telephone.hears(today(drop("hat", minutes)))

    assert telephone.titles(END - (minutes + 10) * MINUTE) == []
    assert bool(telephone.titles(NOON + 9.5 * HOUR)) is goes
    assert goes or telephone.fates() == [TOO_LATE]


def test_what_a_burst_holds_for_too_long_is_dropped(telephone: Telephone) -> None:
    telephone.set(BURST)
    telephone.hears(today(drop("hat", 180)))

    assert telephone.titles(END - 190 * MINUTE) == []
    assert telephone.titles(END - 130 * MINUTE) == []
    assert telephone.fates() == [TOO_LATE]


@pytest.mark.parametrize(("after", "goes"), [(9, True), (11, False)], ids=["in time", "too late"])
def test_what_was_refused_comes_again_only_in_time(telephone: Telephone, after: int, goes: bool) -> None:
    telephone.hears(today(drop("hat", 180)))
    (message,) = telephone.at(END - 190 * MINUTE)
    with telephone.world.engine.begin() as connection:
        outbox.settle_failed(connection, message, telephone.world.now, "HTTP 503", passing=True)

    assert bool(telephone.titles(END - (190 - after) * MINUTE)) is goes
    assert goes or telephone.fates() == [TOO_LATE]


def test_a_message_that_waited_names_only_what_can_still_be_begun(telephone: Telephone) -> None:
    telephone.set(QUIET)
    chain = [
        drop("1", 60, name="First"),
        drop("2", 90, name="Second", preconditionDrops=[{"id": "drop-1"}]),
        drop("3", 30, name="Third", preconditionDrops=[{"id": "drop-2"}]),
    ]
    telephone.hears(today(*chain))

    assert telephone.titles(END - 190 * MINUTE) == []
    (message,) = telephone.at(NOON + 9.5 * HOUR)
    (event,) = message.events
    assert event.title.startswith("Start now: 2 drops, until 05 Mar 00:00 UTC")
    assert [line.name for line in event.detail.drops_ending] == ["First", "Second"]  # type: ignore[attr-defined]


def test_a_drop_that_closes_before_its_campaign_is_dropped_by_its_own_end(telephone: Telephone) -> None:
    telephone.set(QUIET)
    early = drop("hat", 60, startAt=stamp(NOON), endAt=stamp(NOON + 10 * HOUR))
    telephone.hears(today(early, drop("coat", 30)))

    assert telephone.titles(NOON + 8 * HOUR + 50 * MINUTE) == []
    assert telephone.titles(NOON + 9.5 * HOUR) == []
    assert telephone.fates() == [TOO_LATE]
