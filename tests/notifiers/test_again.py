"""Messages that their target took without an answer, and rests that targets ask for."""

import os
import signal
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from sqlalchemy import update

from models import Delivery, DeliveryState
from notifiers import targets
from notifiers.deliver import DeliverySummary, Sender
from notifiers.deliveries import list_deliveries, next_due_at, replay
from notifiers.hearing import Patience
from notifiers.outbox import UNANSWERED_PAUSES, renew, settle_sent
from notifiers.render import Format, Limits, render_message
from notifiers.sizes import Ceiling, Unit
from pipeline.programs.programs import unsettled
from tests.notifiers import stubborn
from tests.notifiers.stubborn import MAIL_TAKEN, Conduct, answers, hangs, hangs_up, says
from tests.notifiers.world import NOON, Notifying, event_text, full_event
from tests.processes import children

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def sent(**counts: int) -> DeliverySummary:
    return DeliverySummary(**counts)


def test_a_mail_that_may_have_arrived_is_sent_again_after_an_hour_and_says_so(world: Notifying) -> None:
    with stubborn.mail(hangs_up, says(MAIL_TAKEN)) as server:
        world.target("mail", server.mail_url())
        world.event(full_event().title, detail=full_event().detail)
        assert world.deliver() == sent(messages=1, failed=1)
        (row,) = world.deliveries()
        assert (row.state, row.unanswered, row.next_attempt_at) == ("pending", 1, NOON + HOUR)
        world.later(minutes=59)
        assert world.deliver() == sent()
        world.later(minutes=1)
        assert world.deliver() == sent(messages=1, sent=1)
    first, second = (message.decode() for message in server.received)
    assert "perhaps again" not in first.lower()
    assert "Subject: New drops: Rust 40 (perhaps again)" in second.replace("_", " ").replace("=?utf-8?Q?", "")
    # In the text and in the HTML of it.
    assert second.count("Perhaps again: this was sent before") == 2


@pytest.mark.parametrize("conduct", [hangs_up, answers(200)])
def test_a_web_hook_counts_how_often_it_never_answered(world: Notifying, conduct: Conduct) -> None:
    with stubborn.web(hangs_up, conduct) as server:
        world.target("hook", server.url())
        world.event()
        world.deliver()
        world.later(hours=1)
        world.deliver()
    assert b"perhaps again" in server.received[1]
    with world.engine.connect() as connection:
        (line,) = list_deliveries(connection)
    assert line.unanswered == (2 if conduct is hangs_up else 1)
    assert line.state == ("pending" if conduct is hangs_up else "sent")


def test_pauses_grow_at_once_and_the_message_is_tried_for_72_hours(world: Notifying) -> None:
    world.target()
    world.event()
    attempts: list[datetime] = []
    while world.deliveries()[0].state == DeliveryState.PENDING:
        world.now = max(world.now, world.deliveries()[0].next_attempt_at)
        (claimed,) = world.claim()
        attempts.append(world.now)
        world.fail(claimed, unanswered=True)
    pauses = [later - earlier for earlier, later in pairwise(attempts)]
    assert pauses == [HOUR, 6 * HOUR, DAY, DAY, DAY]
    assert world.deliveries()[0].unanswered == len(attempts)


def test_a_burst_that_may_have_arrived_comes_again_as_one_message_and_at_last_alone(world: Notifying) -> None:
    world.target()
    for n in range(3):
        world.event(f"Event {n}")
    sizes = []
    for pause in UNANSWERED_PAUSES:
        (claimed,) = world.claim()
        sizes.append(len(claimed.deliveries))
        assert claimed.may_have_arrived == (len(sizes) > 1)
        world.fail(claimed, unanswered=True)
        world.now += pause
    (claimed,) = world.claim()
    assert (sizes, len(claimed.deliveries)) == ([3, 3, 3], 1)


def test_what_a_dead_sender_had_under_way_comes_again_as_it_was_and_may_have_arrived(world: Notifying) -> None:
    world.target()
    for number in range(3):
        world.event(str(number))
    world.claim(lease_seconds=60)
    world.later(seconds=1)
    world.event("new")
    sizes = []
    for _ in range(4):
        world.later(seconds=61)
        (message,) = world.claim(lease_seconds=60)
        assert message.may_have_arrived
        sizes.append([event.title for event in message.events])
    # What dies with it again and again goes alone at last, for maybe it is what kills.
    assert sizes == [["0", "1", "2"], ["0", "1", "2"], ["0"], ["1"]]


def test_what_never_arrived_for_sure_is_not_said_to_come_again(world: Notifying) -> None:
    world.target()
    world.event("unanswered")
    (claimed,) = world.claim()
    world.fail(claimed, unanswered=True)
    world.event("new")
    (claimed,) = world.claim()
    assert [event.title for event in claimed.events] == ["new"]
    assert not claimed.may_have_arrived


def test_a_failure_after_an_unanswered_message_does_not_wait_for_longer_than_it(world: Notifying) -> None:
    world.target()
    world.event()
    world.fail(world.claim()[0], unanswered=True)
    world.later(hours=1)
    (claimed,) = world.claim()
    assert claimed.may_have_arrived
    world.fail(claimed)
    (row,) = world.deliveries()
    assert (row.unanswered, row.next_attempt_at) == (1, world.now + timedelta(minutes=1))


@pytest.mark.parametrize("jump", [timedelta(hours=3), timedelta(days=365)])
def test_a_clock_that_jumps_back_makes_no_pause_longer_than_it_can_be(world: Notifying, jump: timedelta) -> None:
    world.target()
    world.event()
    world.fail(world.claim()[0], unanswered=True)
    world.now -= jump
    assert len(world.claim()) == 1


def test_a_rest_holds_for_all_messages_of_its_target_and_no_other(world: Notifying) -> None:
    with stubborn.web(answers(429, Retry_After="86400"), answers(200)) as server, stubborn.web(answers(200)) as other:
        world.target("a", server.url())
        world.target("b", other.url())
        world.event("first")
        assert world.deliver() == sent(messages=2, sent=1, failed=1)
        world.event("second")
        for _ in range(4):
            world.later(hours=5, minutes=59)
            world.deliver()
        assert (len(server.received), len(other.received)) == (1, 2)
        with world.engine.connect() as connection:
            assert {line.next_attempt_at for line in list_deliveries(connection, DeliveryState.PENDING)} == {NOON + DAY}
            assert next_due_at(connection) == NOON + DAY
            assert targets.list_targets(connection)[0].rests_until == NOON + DAY
        world.now = NOON + DAY
        # The new one and the one that was refused.
        assert world.deliver().sent == 2


def test_a_rest_that_comes_with_a_good_answer_is_kept_as_well(world: Notifying) -> None:
    nothing_left = answers(204, b"", X_RateLimit_Remaining="0", X_RateLimit_Reset_After="600")
    with stubborn.web(nothing_left, answers(200)) as server:
        world.target("a", server.url())
        world.event()
        assert world.deliver() == sent(messages=1, sent=1)
        world.event()
        assert world.deliver() == sent()
        world.later(minutes=10)
        assert world.deliver() == sent(messages=1, sent=1)


def test_a_rest_asked_with_a_refusal_for_length_is_kept(world: Notifying) -> None:
    with stubborn.web(answers(413, Retry_After="60"), answers(200)) as server:
        world.target("a", server.url())
        world.event()
        assert world.deliver() == sent(messages=1, failed=1)
        assert len(server.received) == 1


@pytest.mark.parametrize("jump", [timedelta(days=2), timedelta(days=365)])
def test_a_clock_that_jumps_back_makes_no_rest_longer_than_a_day(world: Notifying, jump: timedelta) -> None:
    with stubborn.web(answers(503, Retry_After="86400"), answers(200)) as server:
        world.target("a", server.url())
        world.event()
        world.deliver()
        world.now -= jump
        assert world.deliver() == sent(messages=1, sent=1)


def test_a_new_address_has_no_rest(world: Notifying) -> None:
    with stubborn.web(answers(503, Retry_After="86400")) as old, stubborn.web(answers(200)) as new:
        world.target("a", old.url())
        world.event()
        world.deliver()
        world.later(hours=1)
        with world.engine.begin() as connection:
            targets.change_target(connection, "a", address=targets.Address.of(world.vault, new.url()))
        assert world.deliver() == sent(messages=1, sent=1)


def test_a_cycle_does_not_wait_for_a_target_that_rests(world: Notifying) -> None:
    # By the machine's own clock, as a cycle is.
    world.now = datetime.now(NOON.tzinfo)
    with stubborn.web(answers(503, Retry_After="86400")) as server:
        world.target("a", server.url())
        world.event()
        world.deliver()
    world.event()
    assert unsettled(world.engine) == 0


def has_waited(server: stubborn.Stubborn, patience: Patience) -> Callable[[], bool]:
    """Whether a server has had a message for longer than a connection takes: then only its answer is waited for."""
    seen: list[float] = []

    def look() -> bool:
        if server.received and not seen:
            seen.append(time.monotonic())
        return bool(seen) and time.monotonic() - seen[0] > patience.connect

    return look


def test_what_is_stopped_after_a_target_took_it_may_have_arrived(world: Notifying) -> None:
    with stubborn.web(hangs) as server:
        world.target("a", server.url())
        world.event()
        patience = Patience(connect=0.5)
        sender = Sender(world.engine, world.vault, world.clock, lanes=1, patience=patience)
        sender.send_due(is_stopping=has_waited(server, patience))
        sender.finish(timedelta(0))
    (row,) = world.deliveries()
    assert (row.state, row.unanswered, row.next_attempt_at) == ("pending", 1, NOON + HOUR)


def test_what_waits_for_an_answer_when_its_process_dies_may_have_arrived(world: Notifying) -> None:
    before = set(children(os.getpid()))
    patience = Patience(connect=0.5)
    sender = Sender(world.engine, world.vault, world.clock, lanes=1, patience=patience)
    with stubborn.web(hangs) as server:
        world.target("a", server.url())
        world.event()
        sender.send_due(is_stopping=has_waited(server, patience))
        (lane,) = set(children(os.getpid())) - before
        os.kill(lane, signal.SIGKILL)
        assert sender.send_due() == sent(failed=1)
    sender.finish(timedelta(0))
    (row,) = world.deliveries()
    assert "ended with signal 9" in row.last_error
    assert (row.state, row.unanswered, row.next_attempt_at) == ("pending", 1, NOON + HOUR)


def test_what_is_replayed_still_says_that_it_may_have_arrived(world: Notifying) -> None:
    world.target()
    world.event("old")
    world.fail(world.claim()[0], unanswered=True)
    with world.engine.begin() as connection:
        connection.execute(update(Delivery).values(state=DeliveryState.DEAD))
        assert replay(connection, world.now) == 1
    world.event("new")
    claimed = [world.claim()[0]]
    with world.engine.begin() as connection:
        settle_sent(connection, claimed[0], world.now)
    claimed += world.claim()
    again = [(event.title, message.may_have_arrived) for message in claimed for event in message.events]
    assert again == [("old", True), ("new", False)]


def test_a_lease_is_renewed_by_whoever_still_has_it(world: Notifying) -> None:
    world.target()
    world.event()
    (claimed,) = world.claim()
    world.later(seconds=140)
    with world.engine.begin() as connection:
        assert renew(connection, claimed, world.now)
    world.later(seconds=140)
    assert world.claim() == []
    world.later(seconds=20)
    assert len(world.claim()) == 1
    with world.engine.begin() as connection:
        assert not renew(connection, claimed, world.now)


SMALL = Limits(title=40, body=60, html=60)
NARROW = Limits(ceilings=(Ceiling(unit=Unit.UTF8, most=90, source="a test"),))


@pytest.mark.parametrize("limits", [Limits(), SMALL, NARROW, Limits().reduced()])
@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("form", list(Format))
def test_every_format_says_that_a_message_may_have_arrived(form: Format, count: int, limits: Limits) -> None:
    events = [full_event() if count == 1 else event_text(f"A campaign of a long name {n}") for n in range(count)]
    message = render_message(events, limits, again=True)
    assert message.title.endswith(" (perhaps again)")
    assert len(message.title) <= limits.title
    assert "perhaps again" in message.body_with_title(form).lower()
    assert "perhaps again" not in render_message(events, limits).body_with_title(form).lower()
    if limits == Limits():
        assert "Perhaps again: this was sent before" in message.body(form)


def test_a_patience_is_longer_than_any_message_is_under_way() -> None:
    patience = Patience()
    assert patience.longest > patience.whole + patience.mail_end
