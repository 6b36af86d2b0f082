"""The history that the database keeps across campaigns."""

from datetime import timedelta

import pytest

from models.errors import LootwireError
from pipeline.drops.store.history import find_game, game_history, offers
from tests.details import campaign_detail
from tests.pipeline.builders import NOON, campaign, drop, drops, stamp
from tests.pipeline.world import Ingesting

DAY = timedelta(days=1)


def two_in_a_row(world: Ingesting) -> None:
    first = campaign("a", startAt=stamp(NOON), end=NOON + DAY, drops=[drop("d", 60, "Hat", "Cap")])
    second = campaign("b", startAt=stamp(NOON + 3 * DAY), end=NOON + 5 * DAY, drops=[drop("e", 60, "Hat")])
    world.ingest(drops(first))
    world.ingest(drops(second), days=3)


def test_a_new_campaign_tells_when_its_reward_was_last_on_offer(world: Ingesting) -> None:
    two_in_a_row(world)

    added = [campaign_detail(event) for event in world.events("campaign.added")]

    assert added[0].seen_before == ()
    assert [(line.benefit, line.campaign, line.until) for line in added[1].seen_before] == [
        ("Hat", "Campaign a", NOON + DAY)
    ]


def test_a_reward_of_another_game_was_not_on_offer_before(world: Ingesting) -> None:
    world.ingest(drops(campaign("a", startAt=stamp(NOON), end=NOON + DAY, drops=[drop("d", 60, "Hat")])))
    other = campaign("b", game_id="g2", startAt=stamp(NOON + 3 * DAY), end=NOON + 5 * DAY, drops=[drop("e", 60, "Hat")])
    world.ingest(drops(other), days=3)

    assert campaign_detail(world.events("campaign.added")[-1]).seen_before == ()


def test_a_game_knows_how_often_and_how_long_its_campaigns_run(world: Ingesting) -> None:
    two_in_a_row(world)
    with world.engine.connect() as connection:
        game_id = find_game(connection, "harbour LIGHTS")
        history = game_history(connection, game_id)
        given = offers(connection, game_id, 10)

    assert (history.campaigns, history.open, history.every, history.lasts) == (2, 1, 3 * DAY, 1.5 * DAY)
    assert [(offer.reward, offer.campaigns, offer.last_campaign) for offer in given] == [
        ("Hat", 2, "Campaign b"),
        ("Cap", 1, "Campaign a"),
    ]


def test_an_unknown_game_names_those_that_are_like_it(world: Ingesting) -> None:
    two_in_a_row(world)
    with world.engine.connect() as connection, pytest.raises(LootwireError, match="Harbour Lights"):
        find_game(connection, "harbour")
