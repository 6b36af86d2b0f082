"""Campaigns that can be earned right now: when they are announced, and on which streams they are shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, update

from models import AllowedChannel, Channel, DropCampaign, TimeBasedDrop
from pipeline.catalogue.storing import store_channels, store_games
from tests.pipeline.channels.observations import (
    ANN,
    IRL,
    LIGHTS,
    NOON,
    RUNNER,
    SPECIAL_EVENTS,
    at,
    channel,
    game,
    live,
    offline,
    polled,
    stream,
    updated,
)
from tests.pipeline.channels.streaming import Streaming

BEN, CID = "502", "503"
DAY = timedelta(days=1)


@dataclass
class Drops:
    """Campaigns of Harbour Lights, which run since yesterday and for another day unless the test says otherwise."""

    streaming: Streaming

    def campaign(
        self,
        key: str = "c",
        *,
        channels: Sequence[str] = (),
        minutes: int = 60,
        playing: str = LIGHTS,
        listed: Sequence[dict[str, Any]] | None = None,
        **fields: Any,
    ) -> int:
        record = game(playing)
        assert record is not None
        with self.streaming.engine.begin() as connection:
            (game_id,) = store_games(connection, "twitch", [record]).values()
            row = {
                "service": "twitch",
                "external_id": key,
                "name": f"Loot {key}",
                "game_id": game_id,
                "start_at": NOON - DAY,
                "started_at": NOON - DAY,
                "end_at": NOON + DAY,
                "first_seen_at": NOON - DAY,
            }
            row_id: int = connection.scalar(insert(DropCampaign).values(row | fields).returning(DropCampaign.id)) or 0
            drop = {"external_id": f"drop-{key}", "required_minutes": minutes}
            for step in [drop] if listed is None else listed:
                values = {"campaign_id": row_id, "first_seen_at": NOON, "name": "A lamp"} | step
                connection.execute(insert(TimeBasedDrop).values(values))
            ids = store_channels(connection, "twitch", map(channel, channels), NOON)
            for channel_id in ids.values():
                allowed = {"campaign_id": row_id, "channel_id": channel_id, "first_seen_at": NOON - DAY}
                connection.execute(insert(AllowedChannel).values(allowed))
        return row_id

    def watchable(self) -> list[tuple[str, str]]:
        """Return the campaigns that were announced, each with its channel's login."""
        events = self.streaming.events("campaign.watchable")
        return [(row.detail["name"], row.detail["channel_login"]) for row in events]


@pytest.fixture
def drops(streaming: Streaming) -> Drops:
    streaming.follow(BEN)
    return Drops(streaming)


def test_a_channel_that_a_campaign_names_goes_live_with_its_game(drops: Drops) -> None:
    campaign = drops.campaign(channels=[ANN], minutes=90)
    drops.streaming.hear(polled(5, stream(viewers=7)))

    event = drops.streaming.event("campaign.watchable")
    assert (event.campaign_id, event.occurred_at, event.silent) == (campaign, at(0), False)
    assert event.detail | {"drops": ..., "end_at": ...} == {
        "name": "Loot c",
        "game": "Harbour Lights",
        "channel": "Keeper 501",
        "channel_login": "keeper501",
        "viewers": 7,
        "url": "https://www.twitch.tv/keeper501",
        "required_minutes": 90,
        "start_at": "2031-03-03T12:00:00Z",
        "end_at": ...,
        "drops": ...,
        "channels_total": 1,
        "channels": ["keeper501"],
    }
    assert drops.streaming.event("stream.online").detail["campaigns"] == ["Loot c"]


def test_a_campaign_for_every_channel_is_told_of_those_that_are_followed_by_hand(drops: Drops) -> None:
    drops.campaign()
    drops.streaming.follow_category(LIGHTS)
    drops.streaming.hear(polled(5, stream(CID, "s3"), channels=()))
    assert drops.watchable() == []
    assert drops.streaming.event("stream.online").detail["campaigns"] == ["Loot c"]

    drops.streaming.hear(live(6), polled(7, stream(start=6)))
    assert drops.watchable() == [("Loot c", "keeper501")]


@pytest.mark.parametrize(
    "fields",
    [
        {"channels": [BEN]},
        {"playing": RUNNER},
        {"ended_at": NOON - DAY / 2},
        {"withdrawn_at": NOON - DAY / 2},
        {"start_at": NOON + DAY / 2, "started_at": None},
        {"end_at": NOON},
        {"minutes": 60 * 24},
        {"minutes": 0},
        {"service": "kick"},
    ],
    ids=str,
)
def test_what_cannot_be_earned_on_a_stream_is_not_told(drops: Drops, fields: dict[str, Any]) -> None:
    drops.campaign(**({"channels": [ANN]} | fields))
    drops.streaming.hear(polled(5, stream()))
    drops.streaming.tick(6)

    assert drops.watchable() == []
    assert "campaigns" not in drops.streaming.event("stream.online").detail


def test_a_campaign_is_told_once_in_a_quiet_time_however_many_of_its_channels_go_live(drops: Drops) -> None:
    drops.campaign(channels=[ANN, BEN])
    drops.streaming.hear(polled(5, stream()))
    drops.streaming.hear(live(60, "s2", key=BEN, info=stream(BEN, "s2", 60)))
    # Neither stream is news any more at the end of the quiet time; another is.
    drops.streaming.tick(60 * 13)
    assert drops.watchable() == [("Loot c", "keeper501")]
    drops.streaming.hear(live(60 * 14, "s3", key=BEN, info=stream(BEN, "s3", 60 * 14)))
    drops.streaming.tick(60 * 14 + 1)

    assert drops.watchable() == [("Loot c", "keeper501"), ("Loot c", "keeper502")]


def test_the_category_changes_to_the_campaigns_game(drops: Drops) -> None:
    drops.campaign(channels=[ANN])
    drops.streaming.hear(polled(5, stream(playing=RUNNER)))
    drops.streaming.hear(updated(30, playing=LIGHTS))

    assert drops.watchable() == [("Loot c", "keeper501")]
    assert drops.streaming.event("campaign.watchable").occurred_at == at(30)
    assert drops.streaming.event("stream.category_changed").detail["campaigns"] == ["Loot c"]


def test_the_campaign_starts_while_the_channel_is_live(drops: Drops) -> None:
    drops.streaming.hear(polled(5, stream()))
    drops.campaign(channels=[ANN], start_at=at(30), started_at=None)
    assert drops.streaming.tick(29) == {}

    assert drops.streaming.tick(30) == {"campaign.watchable": 1}
    assert drops.streaming.tick(31) == {}


def test_what_was_so_before_the_channel_was_followed_is_no_news(drops: Drops) -> None:
    drops.streaming.unfollow()
    drops.streaming.follow(ANN, since=3)
    drops.campaign(channels=[ANN])
    drops.streaming.hear(polled(5, stream(playing=LIGHTS)))
    drops.streaming.hear(updated(15, title="Another title"))
    assert drops.watchable() == []

    drops.campaign("d", channels=[ANN], start_at=at(20), started_at=at(20))
    drops.streaming.tick(21)
    assert drops.watchable() == [("Loot d", "keeper501")]


def test_a_channel_that_is_not_named_any_more_does_not_count(drops: Drops) -> None:
    drops.campaign(channels=[ANN, BEN])
    with drops.streaming.engine.begin() as connection:
        gone = AllowedChannel.channel_id.in_(
            Channel.__table__.select().with_only_columns(Channel.id).where(Channel.external_id == ANN)
        )
        connection.execute(update(AllowedChannel).where(gone).values(last_seen_at=NOON))
    drops.streaming.hear(polled(5, stream()))

    assert drops.watchable() == []


def test_a_rerun_makes_nothing_watchable_until_it_is_a_live_stream(drops: Drops) -> None:
    drops.campaign(channels=[ANN])
    drops.streaming.hear(live(0, type="rerun", info=stream()))
    drops.streaming.tick(1)
    assert drops.watchable() == []

    drops.streaming.hear(live(5, start=0, type="live", info=stream()))
    assert drops.watchable() == [("Loot c", "keeper501")]


def test_a_stream_that_is_over_is_not_told(drops: Drops) -> None:
    drops.streaming.hear(polled(5, stream()), offline(10))
    drops.campaign(channels=[ANN])
    drops.streaming.tick(11)

    assert drops.watchable() == []


def step(key: str, minutes: int, *after: str, hours: tuple[int, int] | None = None, subs: int = 0) -> dict[str, Any]:
    """A drop; its window is in hours after noon."""
    start_at, end_at = (NOON + timedelta(hours=hour) for hour in hours) if hours else (None, None)
    row = {"external_id": key, "required_minutes": minutes, "required_subs": subs, "precondition_drop_ids": list(after)}
    return row | {"start_at": start_at, "end_at": end_at}


@pytest.mark.parametrize(
    "listed",
    [
        pytest.param([step("a", 60, hours=(-24, 0))], id="its window is over"),
        pytest.param([step("a", 60, hours=(1, 23))], id="its window has not opened"),
        pytest.param([step("a", 60, hours=(-24, 1))], id="its window leaves too little time"),
        pytest.param([step("a", 60, hours=(-24, 0)), step("b", 60, "a")], id="it requires what is over"),
        pytest.param([step("a", 0, subs=2), step("b", 60, "a")], id="it requires subscriptions first"),
        pytest.param([step("a", 60, subs=3)], id="it takes subscriptions as well"),
        pytest.param([step("a", 60, "b"), step("b", 60, "a")], id="each requires the other"),
        pytest.param([step("a", 24 * 60), step("b", 60, "a")], id="the first of a chain takes too long"),
        pytest.param([], id="there is no drop"),
    ],
)
def test_a_campaign_none_of_whose_drops_can_be_earned_by_watching_now_is_not_told(
    drops: Drops, listed: Sequence[dict[str, Any]]
) -> None:
    drops.campaign(channels=[ANN], listed=listed)
    drops.streaming.hear(polled(5, stream()))

    assert drops.watchable() == []
    assert "campaigns" not in drops.streaming.event("stream.online").detail


@pytest.mark.parametrize(
    ("listed", "minutes"),
    [
        pytest.param([step("a", 60), step("b", 600, "a"), step("c", 1200, "b")], 60, id="the first of a chain fits"),
        pytest.param([step("a", 60, hours=(-24, 0)), step("b", 90, hours=(0, 24))], 90, id="the second of daily drops"),
        pytest.param([step("a", 45, "elsewhere")], 45, id="it requires what is not listed"),
        pytest.param([step("a", 60, subs=1), step("b", 30)], 30, id="another takes subscriptions"),
    ],
)
def test_a_campaign_one_of_whose_drops_counts_now_is_told_with_its_minutes(
    drops: Drops, listed: Sequence[dict[str, Any]], minutes: int
) -> None:
    drops.campaign(channels=[ANN], listed=listed)
    drops.streaming.hear(polled(5, stream()))

    assert drops.watchable() == [("Loot c", "keeper501")]
    assert drops.streaming.event("campaign.watchable").detail["required_minutes"] == minutes


def test_a_window_opens_while_the_channel_is_live(drops: Drops) -> None:
    drops.campaign(channels=[ANN], listed=[step("a", 60, hours=(2, 20))])
    drops.streaming.hear(polled(5, stream()))
    assert drops.streaming.tick(119) == {}

    assert drops.streaming.tick(120) == {"campaign.watchable": 1}
    assert drops.streaming.event("campaign.watchable").occurred_at == at(120)


@pytest.mark.parametrize("category", [SPECIAL_EVENTS, IRL])
@pytest.mark.parametrize("playing", [LIGHTS, RUNNER, None])
def test_special_events_and_irl_count_on_named_channels_whatever_they_play(
    drops: Drops, category: str, playing: str | None
) -> None:
    drops.campaign(channels=[ANN], playing=category)
    drops.streaming.hear(polled(5, stream(playing=playing), stream(BEN, "s2", playing=playing), channels=[ANN, BEN]))

    assert drops.watchable() == [("Loot c", "keeper501")]
    online = {event.detail["channel_login"]: event.detail for event in drops.streaming.events("stream.online")}
    assert {login: detail.get("campaigns") for login, detail in online.items()} == {
        "keeper501": ["Loot c"],
        "keeper502": None,
    }


def test_special_events_without_named_channels_count_in_their_category_alone(drops: Drops) -> None:
    drops.campaign(playing=SPECIAL_EVENTS)
    drops.streaming.hear(polled(5, stream(), stream(BEN, "s2", playing=SPECIAL_EVENTS), channels=[ANN, BEN]))

    assert drops.watchable() == [("Loot c", "keeper502")]


def test_another_game_on_a_channel_of_special_events_is_no_second_chance(drops: Drops) -> None:
    drops.campaign(channels=[ANN], playing=SPECIAL_EVENTS)
    drops.streaming.hear(polled(5, stream(playing=RUNNER)))
    drops.streaming.hear(updated(60 * 13, playing=LIGHTS))
    drops.streaming.tick(60 * 13 + 1)

    assert drops.watchable() == [("Loot c", "keeper501")]
    assert drops.streaming.event("campaign.watchable").occurred_at == at(0)
    assert drops.streaming.event("stream.category_changed").detail["campaigns"] == ["Loot c"]


def test_a_channel_is_named_by_special_events_while_it_is_live(drops: Drops) -> None:
    drops.streaming.hear(polled(5, stream(playing=RUNNER)))
    drops.campaign(channels=[ANN], playing=SPECIAL_EVENTS, start_at=at(30), started_at=None)

    assert drops.streaming.tick(29) == {}
    assert drops.streaming.tick(30) == {"campaign.watchable": 1}
