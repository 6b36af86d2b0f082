"""What somebody has already, or wants no more of, reminds no more; what is missing is counted, and an account named."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from models import Delivery
from models.details import CampaignDetail
from models.errors import UsageError
from models.vault import Vault
from notifiers import settled
from notifiers.apprise_urls import open_url
from notifiers.reasons import why_not
from notifiers.render import render_message
from notifiers.view import view_groups
from pipeline.demo.sinks import WebhookSink
from pipeline.drops.listing.naming import find_named
from tests.notifiers.cases import DAILY, HATS, NIGHT, phone
from tests.notifiers.stories import Story, new_story
from tests.notifiers.world import Notifying, hook_url

LINKED = '11-20 08:00 campaign Hats ends="11-25 08:00" drops=Hat:60 link=https://id.example/a\n'


@pytest.fixture
def story(engine: Engine, vault: Vault, tmp_path: Path) -> Iterator[Story]:
    with new_story(engine, vault, tmp_path) as story:
        story.now = story.at("11-20 00:00")
        yield story


def details(story: Story) -> list[CampaignDetail]:
    events = [event for sent in story.sent for event in sent.message.events]
    return [event.detail for event in events if isinstance(event.detail, CampaignDetail)]


def test_a_last_chance_says_how_many_minutes_are_missing(story: Story) -> None:
    story.rules(phone())
    story.tell(
        HATS
        + "11-25 05:00 watched Coat 90\n11-25 05:00 watched Hat 60\n11-25 05:50 campaign.last_chance Now campaign=Hats"
    )
    assert [detail.missing_minutes for detail in details(story)] == [30]
    message = render_message(story.sent[0].message.events, open_url("json://127.0.0.1:9/x").limits)
    assert "30 min to watch" in message.text


def test_of_what_nobody_has_begun_nothing_is_missing(story: Story) -> None:
    story.rules(phone())
    story.tell(HATS + "11-25 05:50 campaign.last_chance Now campaign=Hats")
    assert [detail.missing_minutes for detail in details(story)] == [None]


def test_an_account_that_is_not_linked_is_said_once_to_each_target(story: Story) -> None:
    story.rules(phone() + phone(DAILY, name="mail"))
    story.tell(
        LINKED + "11-20 09:00 campaign.added One campaign=Hats\n11-20 09:05 unlinked Hats\n"
        "11-20 10:00 campaign.started Two campaign=Hats\n11-20 11:00 campaign.changed Three campaign=Hats"
    )
    assert "account not linked" in str(view_groups(story.sent[-1].message.events))
    said = [(sent.target, e.title) for sent in story.sent for e in sent.message.events if e.detail.needs_link]  # type: ignore[attr-defined]
    assert said == [("phone", "Two"), ("mail", "One")]


def test_what_said_so_and_was_given_up_said_nothing(story: Story) -> None:
    story.rules(phone())
    story.tell(
        LINKED + "11-20 09:05 unlinked Hats\n11-20 10:00 refused 200\n11-20 10:00 campaign.started Two campaign=Hats"
    )
    story.refusals = 0
    story.tell("12-06 11:00 campaign.changed Three campaign=Hats")
    assert [detail.needs_link for detail in details(story)] == [True]


def test_a_message_that_comes_again_says_it_again(story: Story) -> None:
    story.rules(phone())
    story.tell(
        LINKED + "11-20 09:05 unlinked Hats\n11-20 10:00 refused 1\n11-20 10:00 campaign.started Two campaign=Hats"
    )
    assert [detail.needs_link for detail in details(story)] == [True]


def test_a_badge_needs_no_account(story: Story) -> None:
    story.rules(phone())
    story.tell(LINKED + "11-20 09:05 unlinked Hats\n11-20 10:00 campaign.started Two campaign=Hats gives=BADGE")
    assert [detail.needs_link for detail in details(story)] == [False]


def test_an_account_that_is_linked_is_not_spoken_of(story: Story) -> None:
    story.rules(phone())
    story.tell(LINKED + "11-20 09:05 linked Hats\n11-20 10:00 campaign.started Two campaign=Hats")
    assert [detail.needs_link for detail in details(story)] == [False]


def test_why_not_says_that_it_is_claimed(story: Story) -> None:
    story.rules(phone())
    story.tell(HATS + "11-21 12:00 claimed Hats\n11-24 08:00 campaign.ending_soon Soon campaign=Hats")
    event_id = story.connection.execute(select(Delivery.event_id)).scalar_one()
    answer = why_not(story.connection, "phone", event_id, story.now)
    assert answer.state == "dropped"
    assert "it was dropped: the campaign or its game is claimed" in answer.reason


def test_why_not_says_of_what_is_held_that_it_will_be_dropped(story: Story) -> None:
    story.rules(phone(NIGHT))
    story.tell(HATS)
    story.now = story.at("11-23 23:00")
    event_id = story.event("campaign.ending_soon", "Soon campaign=Hats")
    story.send()
    story.happen("ignored Rust", {})
    reason = why_not(story.connection, "phone", event_id, story.now).reason
    assert reason.startswith("it waits for the end of the quiet hours; it will be dropped then")
    assert reason.endswith("the campaign or its game is ignored")


def test_claiming_twice_is_claiming_once_and_ignoring_is_another_word(story: Story) -> None:
    story.tell(HATS)
    thing = find_named(story.connection, "hats")
    assert settled.settle(story.connection, thing.what, thing.id, "claimed", story.now, target=None)
    assert not settled.settle(story.connection, thing.what, thing.id, "claimed", story.now, target=None)
    assert settled.settle(story.connection, thing.what, thing.id, "ignored", story.now, target=None)
    assert [(line.name, line.state) for line in settled.list_settled(story.connection)] == [("Hats", "ignored")]


def test_a_namesake_is_named_with_the_way_out(story: Story) -> None:
    story.tell('11-20 08:00 campaign Rust game=Rust ends="11-25 08:00"\n')
    with pytest.raises(UsageError) as refused:
        find_named(story.connection, "RUST")
    assert "Rust (campaign of Rust, Twitch, until 2026-11-25 08:00 UTC) is campaign:" in str(refused.value)
    assert "Rust (game) is game:" in str(refused.value)
    reference = str(refused.value).rpartition("as in ")[2]
    assert find_named(story.connection, reference).what == "campaign"
    assert find_named(story.connection, "c0").name == "Rust"


def test_rewards_of_one_name_are_told_apart_by_game_campaign_and_service(story: Story) -> None:
    story.tell("11-20 08:00 campaign Winter game=Rust drops=Hat:60\n11-20 08:00 campaign Spring game=Moss drops=Hat:60")
    with pytest.raises(UsageError) as refused:
        find_named(story.connection, "hat")
    assert "Hat (benefit of Rust, campaign Winter, Twitch) is benefit:" in str(refused.value)
    assert "Hat (benefit of Moss, campaign Spring, Twitch) is benefit:" in str(refused.value)


def test_what_is_over_gives_way_to_what_is_not(story: Story) -> None:
    story.tell('11-20 08:00 campaign Hats ends="11-25 08:00"\n11-20 08:00 campaign Hats ends="11-30 08:00"')
    story.connection.exec_driver_sql("UPDATE drop_campaigns SET ended_at = now() WHERE external_id = 'c0'")
    assert find_named(story.connection, "Hats").external_id == "c1"


def test_a_name_that_is_none_gets_those_that_may_be_meant(story: Story) -> None:
    story.tell(HATS)
    with pytest.raises(UsageError, match="Did you mean Hat or Hats"):
        find_named(story.connection, "Hatz")


def test_a_night_a_digest_and_a_claim_reach_a_real_receiver_as_they_should(
    world: Notifying, hooks: WebhookSink, tmp_path: Path
) -> None:
    """The same through senders and their lanes; that they decide alike the other stories show."""
    with world.engine.begin() as connection:
        story = Story(connection, world.vault, tmp_path, now=world.now)
        for name, lines in {"night": NIGHT, "mail": DAILY, "phone": ""}.items():
            text = phone(f"private = true\n{lines}", name=name).replace("env:URL", hook_url(hooks, f"/{name}"))
            # Each from a file of its own: what is gone from a file goes.
            story.folder = tmp_path / name
            story.folder.mkdir()
            story.rules(text)
        story.happen('campaign Hats game=Rust ends="11-25 08:00" drops=Hat:60', {})
        story.happen("ignored Rust for phone", {})
    arrived: list[tuple[str, str]] = []
    for at in ("11-20 17:00", "11-20 23:00", "11-21 02:00", "11-21 07:00", "11-21 18:00"):
        world.now = story.at(at)
        if at == "11-20 23:00":
            with world.engine.begin() as connection:
                story = Story(connection, world.vault, tmp_path, now=world.now)
                story.event("campaign.ending_soon", "Soon campaign=Hats")
        world.deliver()
        arrived += [(at, message.path) for message in hooks.messages[len(arrived) :]]
    assert arrived == [("11-21 07:00", "/night"), ("11-21 18:00", "/mail")]
    assert all("Soon" in str(message.body) for message in hooks.messages)
