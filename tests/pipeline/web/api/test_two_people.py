"""Two people on one installation: invited, told, with feeds and quotas of their own; neither sees the other's."""

import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from sqlalchemy import Engine, insert, select, update
from starlette.routing import Mount

from feeds.links import ensure_link
from feeds.publish import publish
from models import Follow, Game, Target
from models.details import CampaignDetail
from models.events import EventKind
from notifiers.deliver import Sender
from pipeline.demo.sinks import WebhookSink
from pipeline.events.append import NewEvent, append_events
from pipeline.people.store import messages
from pipeline.runtime.runtime import Runtime, utc_now
from pipeline.web.application import Application
from pipeline.web.invitations import PREFIX, Invitations
from tests.pipeline.web.api.conftest import ClientFor
from tests.pipeline.web.serving import answering
from tests.plain_http import NO_CERTIFICATES

PLAN = {"name": "family", "credits": 1, "prices": {"message": 1}, "gauges": {"targets": 1, "messages_per_day": 1}}
GAMES = {"ada": "Harbour Lights", "bob": "Moss Runner"}


@pytest.fixture
def hook() -> Iterator[WebhookSink]:
    with WebhookSink() as sink:
        yield sink


@pytest.fixture
def key_of(runtime: Runtime, owner: httpx.Client) -> Iterator[Callable[[str], str]]:
    """Invites somebody, who presses the button of the page; returns the key that it shows."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[Application]:
        yield Application([Mount(PREFIX, Invitations(lambda: runtime))])

    with answering(opened) as address, httpx.Client(base_url=address, verify=NO_CERTIFICATES) as browser:

        def accept(name: str) -> str:
            invitation = owner.post(f"/people/{name}/invitation", json={"role": "member"}).json()
            page = urlsplit(invitation["address"]).path
            assert f"Hello, {name}" in browser.get(page).text
            shown = re.search(r"lw_[a-z2-7]{12}_[a-z2-7]{58}", browser.post(page).text)
            assert shown is not None
            return shown[0]

        yield accept


class Household:
    """Two people with a key each, what they follow, and where they are told."""

    def __init__(
        self, runtime: Runtime, hook: WebhookSink, people: dict[str, httpx.Client], ids: dict[str, int]
    ) -> None:
        self.runtime = runtime
        self.hook = hook
        self.people = people
        self.ids = ids
        self.games: dict[str, int] = {}

    @property
    def engine(self) -> Engine:
        return self.runtime.engine

    def follow(self, name: str) -> None:
        """Follow the game of a person, and have its campaigns told at a target called phone."""
        client, game = self.people[name], GAMES[name]
        row = {"name": game, "name_key": game.lower(), "public_id": name}
        with self.engine.begin() as connection:
            self.games[name] = connection.execute(insert(Game).values(row).returning(Game.id)).scalar_one()
            follow = {"person_id": self.ids[name], "kind": "game", "game_id": self.games[name], "created_at": utc_now()}
            connection.execute(insert(Follow).values(follow))
        assert client.post("/targets", json={"name": "phone", "url": "json://hooks.example.org/x"}).status_code == 201
        wish = {"target": "phone", "conditions": {"kinds": ["campaign.added"], "followed_games": True}}
        assert client.post("/subscriptions", json=wish).status_code == 201
        local = self.runtime.vault.encrypt(f"json{self.hook.url.removeprefix('http')}/{name}")
        with self.engine.begin() as connection:
            own = update(Target).where(Target.person_id == self.ids[name])
            connection.execute(own.values(url_encrypted=local, settings={"private": True}))

    def campaign(self, of: str, title: str) -> None:
        """Have a campaign of a person's game appear, and send what is due."""
        detail = CampaignDetail(name=title, game=GAMES[of])
        event = NewEvent(
            kind=EventKind.CAMPAIGN_ADDED,
            subject=title,
            occurred_at=utc_now(),
            detail=detail,
            service="twitch",
            game_id=self.games[of],
        )
        with self.engine.begin() as connection:
            append_events(connection, [event], source_id=None, silent=False, now=utc_now())
        sender = Sender(
            self.engine, self.runtime.vault, utc_now, lanes=2, meter=messages.take, give_back=messages.give_back
        )
        sender.send_due()
        sender.finish()

    def heard(self, name: str) -> int:
        """How many messages came to a person."""
        return sum(message.path.endswith(name) for message in self.hook.messages)


@pytest.fixture
def household(
    runtime: Runtime, hook: WebhookSink, owner: httpx.Client, key_of: Callable[[str], str], client_for: ClientFor
) -> Household:
    people = {name: client_for(key_of(name)) for name in GAMES}
    ids = {each["name"]: each["id"] for each in owner.get("/people").json()["items"]}
    household = Household(runtime, hook, people, ids)
    for name in GAMES:
        household.follow(name)
    return household


def test_each_is_told_of_their_own(household: Household) -> None:
    household.campaign("ada", "Lantern Week")

    assert (household.heard("ada"), household.heard("bob")) == (1, 0)
    deliveries = {name: client.get("/deliveries").json()["items"] for name, client in household.people.items()}
    assert (len(deliveries["ada"]), deliveries["bob"]) == (1, [])


def test_two_targets_of_one_name_are_each_persons_own(household: Household) -> None:
    ada, bob = household.people.values()
    ada.post("/targets/phone/pause")

    assert ada.get("/targets/phone").json()["disabled_at"] is not None
    assert bob.get("/targets/phone").json()["disabled_at"] is None


def test_a_private_feed_holds_what_its_person_follows(household: Household, tmp_path: Path) -> None:
    runtime, folders = household.runtime, {}
    for name, person_id in household.ids.items():
        if name in GAMES:
            with household.engine.begin() as connection:
                folders[name] = ensure_link(
                    connection, runtime.vault, "followed", utc_now(), title="What I follow", person_id=person_id
                )
    household.campaign("ada", "Lantern Week")
    public = tmp_path / "public"
    publish(household.engine, public, "https://loot.example.org", utc_now(), vault=lambda: runtime.vault)

    feeds = {
        name: "".join(path.read_text() for path in (public / folder).glob("*.xml")) for name, folder in folders.items()
    }
    assert "Lantern Week" in feeds["ada"]
    assert "Lantern Week" not in feeds["bob"]


def test_a_plan_holds_back_its_persons_messages_alone(household: Household, owner: httpx.Client) -> None:
    owner.post("/plans", json=PLAN)
    owner.patch("/people/ada", json={"plan": "family"}, headers={"If-Match": "*"})
    ada, bob = household.people.values()
    second = {"name": "second", "url": "json://hooks.example.org/y"}

    assert [client.post("/targets", json=second).status_code for client in (ada, bob)] == [402, 201]
    for number in range(3):
        household.campaign("ada", f"Lantern Week {number}")
        household.campaign("bob", f"Moss Day {number}")

    assert (household.heard("ada"), household.heard("bob")) == (2, 3)
    assert ada.get("/me").json()["standing"]["credits"] == 0
    assert bob.get("/me").json()["standing"]["plan"] is None
    assert len(ada.get("/ledger").json()["items"]) == 2
    assert owner.post("/ledger", json={"person": "ada", "amount": 5}).status_code == 201
    household.campaign("bob", "Moss Day 9")
    assert household.heard("ada") == 3


def test_who_is_deleted_leaves_the_other_as_they_were(household: Household, owner: httpx.Client) -> None:
    household.campaign("ada", "Lantern Week")

    assert owner.delete("/people/ada", headers={"If-Match": "*"}).status_code == 200

    ada, bob = household.people.values()
    assert ada.get("/me").status_code == 401
    assert bob.get("/targets/phone").status_code == 200
    household.campaign("bob", "Moss Day")
    assert household.heard("bob") == 1
    with household.engine.connect() as connection:
        assert connection.scalars(select(Target.person_id)).all() == [household.ids["bob"]]
