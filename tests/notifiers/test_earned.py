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
from pipeline.drops.listing import find_named
from tests.notifiers.cases import DAILY, HATS, NIGHT, phone
from tests.notifiers.stories import Story, story
from tests.notifiers.world import Notifying, hook_url

LINKED = '11-20 08:00 campaign Hats ends="11-25 08:00" drops=Hat:60 link=https://id.example/a\n'


@pytest.fixture
def told(engine: Engine, vault: Vault, tmp_path: Path) -> Iterator[Story]:
    with story(engine, vault, tmp_path) as told:
        told.now = told.at("11-20 00:00")
        yield told


def details(told: Story) -> list[CampaignDetail]:
    events = [event for sent in told.sent for event in sent.message.events]
    return [event.detail for event in events if isinstance(event.detail, CampaignDetail)]


def test_a_last_chance_says_how_many_minutes_are_missing(told: Story) -> None:
    told.rules(phone())
    told.tell(
        HATS
        + "11-25 06:00 watched Coat 90\n11-25 06:00 watched Hat 60\n11-25 07:50 campaign.last_chance Now campaign=Hats"
    )
    assert [detail.missing_minutes for detail in details(told)] == [30]
    message = render_message(told.sent[0].message.events, open_url("json://127.0.0.1:9/x").limits)
    assert "30 min to watch" in message.text


def test_of_what_nobody_has_begun_nothing_is_missing(told: Story) -> None:
    told.rules(phone())
    told.tell(HATS + "11-25 07:50 campaign.last_chance Now campaign=Hats")
    assert [detail.missing_minutes for detail in details(told)] == [None]


def test_an_account_that_is_not_linked_is_said_once_to_each_target(told: Story) -> None:
    told.rules(phone() + phone(DAILY, name="mail"))
    told.tell(
        LINKED + "11-20 09:00 campaign.added One campaign=Hats\n11-20 09:05 unlinked Hats\n"
        "11-20 10:00 campaign.started Two campaign=Hats\n11-20 11:00 campaign.changed Three campaign=Hats"
    )
    assert "account not linked" in str(view_groups(told.sent[-1].message.events))
    said = [(sent.target, e.title) for sent in told.sent for e in sent.message.events if e.detail.needs_link]  # type: ignore[attr-defined]
    assert said == [("phone", "Two"), ("mail", "One")]


def test_what_said_so_and_was_given_up_said_nothing(told: Story) -> None:
    told.rules(phone())
    told.tell(
        LINKED + "11-20 09:05 unlinked Hats\n11-20 10:00 refused 200\n11-20 10:00 campaign.started Two campaign=Hats"
    )
    told.refusals = 0
    told.tell("12-06 11:00 campaign.changed Three campaign=Hats")
    assert [detail.needs_link for detail in details(told)] == [True]


def test_a_message_that_comes_again_says_it_again(told: Story) -> None:
    told.rules(phone())
    told.tell(
        LINKED + "11-20 09:05 unlinked Hats\n11-20 10:00 refused 1\n11-20 10:00 campaign.started Two campaign=Hats"
    )
    assert [detail.needs_link for detail in details(told)] == [True]


def test_a_badge_needs_no_account(told: Story) -> None:
    told.rules(phone())
    told.tell(LINKED + "11-20 09:05 unlinked Hats\n11-20 10:00 campaign.started Two campaign=Hats gives=BADGE")
    assert [detail.needs_link for detail in details(told)] == [False]


def test_an_account_that_is_linked_is_not_spoken_of(told: Story) -> None:
    told.rules(phone())
    told.tell(LINKED + "11-20 09:05 linked Hats\n11-20 10:00 campaign.started Two campaign=Hats")
    assert [detail.needs_link for detail in details(told)] == [False]


def test_why_not_says_that_it_is_claimed(told: Story) -> None:
    told.rules(phone())
    told.tell(HATS + "11-21 12:00 claimed Hats\n11-24 08:00 campaign.ending_soon Soon campaign=Hats")
    event_id = told.connection.execute(select(Delivery.event_id)).scalar_one()
    answer = why_not(told.connection, "phone", event_id, told.now)
    assert answer.state == "dropped"
    assert "it was dropped: the campaign or its game is claimed" in answer.reason


def test_why_not_says_of_what_is_held_that_it_will_be_dropped(told: Story) -> None:
    told.rules(phone(NIGHT))
    told.tell(HATS)
    told.now = told.at("11-23 23:00")
    event_id = told.event("campaign.ending_soon", "Soon campaign=Hats")
    told.send()
    told.happen("ignored Rust", {})
    reason = why_not(told.connection, "phone", event_id, told.now).reason
    assert reason.startswith("it waits for the end of the quiet hours; it will be dropped then")
    assert reason.endswith("the campaign or its game is ignored")


def test_claiming_twice_is_claiming_once_and_ignoring_is_another_word(told: Story) -> None:
    told.tell(HATS)
    thing = find_named(told.connection, "hats")
    assert settled.settle(told.connection, thing.what, thing.id, "claimed", told.now, target=None)
    assert not settled.settle(told.connection, thing.what, thing.id, "claimed", told.now, target=None)
    assert settled.settle(told.connection, thing.what, thing.id, "ignored", told.now, target=None)
    assert [(line.name, line.state) for line in settled.list_settled(told.connection)] == [("Hats", "ignored")]


def test_a_namesake_is_named_with_the_way_out(told: Story) -> None:
    told.tell('11-20 08:00 campaign Rust game=Rust ends="11-25 08:00"\n')
    with pytest.raises(UsageError) as refused:
        find_named(told.connection, "RUST")
    assert "Rust (campaign, Twitch, until 2026-11-25 08:00 UTC) is campaign:" in str(refused.value)
    assert "Rust (game) is game:" in str(refused.value)
    reference = str(refused.value).rpartition("as in ")[2]
    assert find_named(told.connection, reference).what == "campaign"
    assert find_named(told.connection, "c0").name == "Rust"


def test_what_is_over_gives_way_to_what_is_not(told: Story) -> None:
    told.tell('11-20 08:00 campaign Hats ends="11-25 08:00"\n11-20 08:00 campaign Hats ends="11-30 08:00"')
    told.connection.exec_driver_sql("UPDATE drop_campaigns SET ended_at = now() WHERE external_id = 'c0'")
    assert find_named(told.connection, "Hats").external_id == "c1"


def test_a_name_that_is_none_gets_those_that_may_be_meant(told: Story) -> None:
    told.tell(HATS)
    with pytest.raises(UsageError, match="Did you mean Hat or Hats"):
        find_named(told.connection, "Hatz")


def test_a_night_a_digest_and_a_claim_reach_a_real_receiver_as_they_should(
    world: Notifying, hooks: WebhookSink, tmp_path: Path
) -> None:
    """The same through senders and their lanes; that they decide alike the other stories show."""
    with world.engine.begin() as connection:
        told = Story(connection, world.vault, tmp_path, now=world.now)
        for name, lines in {"night": NIGHT, "mail": DAILY, "phone": ""}.items():
            text = phone(f"private = true\n{lines}", name=name).replace("env:URL", hook_url(hooks, f"/{name}"))
            # Each from a file of its own: what is gone from a file goes.
            told.folder = tmp_path / name
            told.folder.mkdir()
            told.rules(text)
        told.happen('campaign Hats game=Rust ends="11-25 08:00" drops=Hat:60', {})
        told.happen("ignored Rust for phone", {})
    arrived: list[tuple[str, str]] = []
    for at in ("11-20 17:00", "11-20 23:00", "11-21 02:00", "11-21 07:00", "11-21 18:00"):
        world.now = told.at(at)
        if at == "11-20 23:00":
            with world.engine.begin() as connection:
                told = Story(connection, world.vault, tmp_path, now=world.now)
                told.event("campaign.ending_soon", "Soon campaign=Hats")
        world.deliver()
        arrived += [(at, message.path) for message in hooks.messages[len(arrived) :]]
    assert arrived == [("11-21 07:00", "/night"), ("11-21 18:00", "/mail")]
    assert all("Soon" in str(message.body) for message in hooks.messages)
