"""Services that write down how fast they want to be sent to are sent to no faster, and nothing is lost by waiting."""

from collections.abc import Sequence
from datetime import timedelta

from notifiers.deliver import Sender
from notifiers.paces import Turn, turns_of
from pipeline.demo.sinks import WebhookSink
from tests.notifiers.world import Notifying, hook_url


def test_a_message_to_discord_counts_for_the_service_and_for_its_target() -> None:
    assert [turn.name for turn in turns_of("Discord", 7)] == ["send:Discord", "send:Discord:7"]
    assert [turn.name for turn in turns_of("Slack", 7)] == ["send:Slack:7"]


def test_servers_of_ones_own_have_no_pace() -> None:
    assert turns_of("JSON (hook.example.org)", 7) == []
    assert turns_of("Email (mail.example.org)", 7) == []


def test_a_message_that_has_to_wait_is_sent_later_as_if_nobody_had_claimed_it(
    world: Notifying, hooks: WebhookSink
) -> None:
    world.target("hook", hook_url(hooks))
    world.change_target("hook", label="Discord")
    world.event()
    waits = [timedelta(seconds=30), timedelta(0)]
    taken: list[list[str]] = []

    def take(turns: Sequence[Turn]) -> timedelta:
        taken.append([turn.name.partition(":")[2].partition(":")[0] for turn in turns])
        return waits.pop(0)

    sender = Sender(world.engine, world.vault, world.clock, lanes=2, take=take)
    try:
        assert sender.send_due().messages == 0
        (row,) = world.deliveries()
        assert (row.state, row.attempts, row.first_attempt_at, row.lease_token) == ("pending", 0, None, None)
        assert row.next_attempt_at == world.now + timedelta(seconds=30)
        assert hooks.messages == []
        world.later(seconds=30)
        assert sender.send_due().sent == 1
    finally:
        sender.finish()
    assert taken == [["Discord", "Discord"]] * 2
    assert len(hooks.messages) == 1


def test_what_a_dead_sender_had_and_has_to_wait_may_have_arrived(world: Notifying) -> None:
    world.target()
    world.event()
    world.claim(lease_seconds=60)
    world.later(minutes=1)
    sender = Sender(world.engine, world.vault, world.clock, lanes=1, take=lambda _: timedelta(seconds=30))
    sender.send_due()
    (row,) = world.deliveries()
    assert (row.state, row.attempts, row.unanswered) == ("pending", 1, 1)
