"""What is refused for its length as one message about several events goes one by one before anything is dead."""

import json
import re
from dataclasses import dataclass, field
from datetime import timedelta

import msgspec
import pytest
from sqlalchemy import update

from models import Delivery
from pipeline.demo.sinks import WebhookSink
from tests.notifiers.ntfy import ntfy_server
from tests.notifiers.stubborn import MAIL_TAKEN, Conduct, Stubborn, answers, hangs_up, says, serving_mail, serving_web
from tests.notifiers.world import Notifying, full_event, hook_url

TOO_LONG = [answers(413), answers(414), answers(400), answers(422)]


@dataclass
class Narrow(Stubborn):
    """A server that finds every message too long that is about several events."""

    taken: Conduct = field(default_factory=lambda: answers(200))
    events: list[str] = field(default_factory=list)

    def take(self, message: bytes) -> Conduct:
        refused = super().take(message)
        titles = sorted(set(re.findall(r"Loot \d+", message.decode().replace("+", " "))))
        if len(titles) > 1:
            return refused
        self.events += titles
        return self.taken


def deliver_for_an_hour(world: Notifying) -> None:
    for _ in range(60):
        world.deliver()
        world.later(minutes=1)


def states(world: Notifying) -> list[str]:
    return [row.state for row in world.deliveries()]


def expect_each_alone(world: Notifying, server: Narrow) -> None:
    for number in range(5):
        world.event(f"Loot {number}")
    assert world.deliver().dead == 0
    deliver_for_an_hour(world)
    assert (sorted(server.events), states(world)) == ([f"Loot {number}" for number in range(5)], ["sent"] * 5)


@pytest.mark.parametrize("scheme", ["json", "form", "xml", "gotify", "mmost", "apprise"])
def test_a_group_that_is_too_long_for_a_service_is_sent_one_by_one(world: Notifying, scheme: str) -> None:
    with serving_web(Narrow([answers(413)])) as server:
        path = "/" + "a" * 26 if scheme in {"mmost", "gotify"} else "/hook"
        world.target("hook", server.url(scheme, path))
        expect_each_alone(world, server)


@pytest.mark.parametrize("refused", TOO_LONG, ids=["413", "414", "400", "422"])
def test_whatever_a_service_answers_where_a_group_may_be_too_long_it_is_sent_one_by_one(
    world: Notifying, refused: Conduct
) -> None:
    with serving_web(Narrow([refused])) as server:
        world.target("hook", server.url())
        expect_each_alone(world, server)


@pytest.mark.parametrize("reply", [b"552 5.3.4 message too big\r\n", b"552 too long\r\n", b"554 5.2.3 too long\r\n"])
def test_a_mail_about_several_events_that_is_too_long_is_sent_one_by_one(world: Notifying, reply: bytes) -> None:
    with serving_mail(Narrow([says(reply)], taken=says(MAIL_TAKEN))) as server:
        world.target("mail", server.mail_url())
        expect_each_alone(world, server)


def test_a_group_that_ntfy_would_make_a_file_of_is_sent_one_by_one(world: Notifying) -> None:
    with ntfy_server(message_limit=150) as ntfy:
        world.target("phone", ntfy.url)
        for number in range(6):
            world.event(f"Loot {number} {'long ' * 4}")
        assert world.deliver().dead == 0
        deliver_for_an_hour(world)
    assert (len(ntfy.messages), states(world)) == (6, ["sent"] * 6)


def test_a_receiver_of_3000_bytes_gets_each_event_of_a_burst(world: Notifying) -> None:
    class Small(WebhookSink):
        def take(self, path: str, headers: dict[str, str], body: bytes) -> int:
            if len(body) > 3000:
                self.fail_next(1, 413)
            return super().take(path, headers, body)

    with Small() as hooks:
        world.target("hook", hook_url(hooks))
        for number in range(12):
            world.event(f"Loot {number}", detail=full_event().detail)
        deliver_for_an_hour(world)
    assert states(world) == ["sent"] * 12
    assert sorted(hook.json["event"]["title"] for hook in hooks.messages) == sorted(f"Loot {n}" for n in range(12))


def test_only_the_event_that_is_too_long_alone_is_dead(world: Notifying) -> None:
    class Choosy(Narrow):
        def take(self, message: bytes) -> Conduct:
            conduct = super().take(message)
            return answers(413) if b"Loot 2" in message else conduct

    with serving_web(Choosy([answers(413)])) as server:
        world.target("hook", server.url())
        for number in range(4):
            world.event(f"Loot {number}")
        deliver_for_an_hour(world)
    assert states(world) == ["sent", "sent", "dead", "sent"]


def test_a_group_that_may_have_arrived_and_is_then_too_long_is_sent_one_by_one(world: Notifying) -> None:
    with serving_web(Narrow([hangs_up, answers(413)])) as server:
        world.target("hook", server.url())
        for number in range(4):
            world.event(f"Loot {number}")
        world.deliver()
        world.later(hours=1)
        assert world.deliver().dead == 0
        deliver_for_an_hour(world)
        assert (sorted(server.events), states(world)) == ([f"Loot {number}" for number in range(4)], ["sent"] * 4)


def test_a_group_whose_time_is_over_is_sent_one_by_one_all_the_same(world: Notifying) -> None:
    with serving_web(Narrow([answers(413)])) as server:
        world.target("hook", server.url())
        for number in range(3):
            world.event(f"Loot {number}")
        # As after an outage of three days, in which all came again whole.
        tried = {"attempts": 10, "first_attempt_at": world.now - timedelta(hours=80), "lease_token": "of them all"}
        with world.engine.begin() as connection:
            connection.execute(update(Delivery).values(tried))
        assert world.deliver().dead == 0
        deliver_for_an_hour(world)
        assert states(world) == ["sent"] * 3


def test_a_web_hook_that_finds_an_event_too_long_gets_it_with_a_short_title(
    world: Notifying, hooks: WebhookSink
) -> None:
    world.target("hook", hook_url(hooks))
    detail = msgspec.structs.replace(full_event().detail, name="Loot " * 500)
    world.event("Loot " * 500, detail=detail)
    hooks.fail_next(1, 413)
    assert world.deliver().sent == 1
    assert len(hooks.messages[0].json["event"]["title"]) <= 80
    assert len(json.dumps(hooks.messages[0].json)) < len(json.dumps(hooks.refused[0].json)) / 4


def test_a_refusal_that_is_not_for_length_is_final_for_all(world: Notifying) -> None:
    with serving_web(Narrow([answers(410)])) as server:
        world.target("hook", server.url())
        for number in range(3):
            world.event(f"Loot {number}")
        assert world.deliver().dead == 3
