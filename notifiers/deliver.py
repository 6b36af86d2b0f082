"""Sends what is due: claims messages, has each sent in a lane of its own with no transaction open, and settles them."""

import logging
import math
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property, partial
from pathlib import Path
from threading import Lock
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from models.people import OWNER_ID
from models.vault import Vault, VaultError
from notifiers import apprise_urls, due, outbox
from notifiers.composing import Draft, compose
from notifiers.days import zone
from notifiers.errors import DeliveryError, TargetError
from notifiers.hearing import PATIENCE, Patience
from notifiers.lanes import FRESH_SECONDS, Ended, Lanes
from notifiers.metering import GiveBack, Meter, give_none_back, meter_none
from notifiers.paces import Take, take_none, turns_of
from notifiers.reader import Reader
from notifiers.render import Foot, Message, load_templates
from notifiers.send import send
from notifiers.subjects import load_subjects
from notifiers.view import EventText

logger = logging.getLogger(__name__)

# While messages are under way new ones are looked for this often; nothing else wakes a sender meanwhile.
LOOK_EVERY_SECONDS = 0.25
# Where so many messages are under way, what ends within a moment is settled together.
TOGETHER = 2
TOGETHER_SECONDS = 0.01
# A target that held its lane for longer yields to others next time.
SLOW_SECONDS = 5.0
# This part of the lanes, and at least one of several, is kept for targets that are known to be quick.
KEPT_SHARE = 0.25
# A lane is killed when what it does should have given up by itself so long ago.
SPARE_SECONDS = 5.0
# Often enough that two renewals may fail before the lease runs out.
RENEW_SECONDS = outbox.LEASE_SECONDS / 3


@dataclass(kw_only=True)
class DeliverySummary:
    """How many messages were begun, and what became of the deliveries in those that were settled."""

    messages: int = 0
    sent: int = 0
    failed: int = 0
    dead: int = 0

    def add(self, other: "DeliverySummary") -> None:
        """Count in what another counts."""
        self.messages += other.messages
        self.sent += other.sent
        self.failed += other.failed
        self.dead += other.dead


class Sender:
    """Sends what is due in lanes, each message in one; keeps what is under way from one call to the next.

    Any number of them may run at once; threads that share one take turns. Killed at any time, it loses nothing: what
    was under way is sent again when its lease is over.
    """

    def __init__(
        self,
        engine: Engine,
        vault: Vault,
        clock: Callable[[], datetime],
        *,
        lanes: int,
        patience: Patience = PATIENCE,
        templates: Path | None = None,
        take: Take = take_none,
        meter: Meter = meter_none,
        give_back: GiveBack = give_none_back,
    ) -> None:
        """`lanes` is how many messages may be under way at once, `templates` the folder of the operator's own words.

        `take` keeps the paces that services want. `meter` says which messages a person's plan does not pay for, and
        `give_back` returns what one cost that was given up.
        """
        self._templates = templates
        self._take = take
        self._meter = meter
        self._give_back = give_back
        self._engine = engine
        self._vault = vault
        self._clock = clock
        self._patience = patience
        self._renew_at = 0.0
        self._gather_at = 0.0
        self._turn = Lock()
        self._lanes: Lanes[outbox.ClaimedMessage] = Lanes(_send, lanes)
        self._for_anybody = max(1, int(lanes * (1 - KEPT_SHARE)))
        # What is over and not settled yet: the database may be away.
        self._ended: deque[Ended[outbox.ClaimedMessage]] = deque()
        # Targets by their ids, whose last message may have killed its process.
        self._suspect: set[int] = set()

    def send_due(
        self,
        *,
        limit: int | None = None,
        within: timedelta | None = None,
        is_stopping: Callable[[], bool] = lambda: False,
    ) -> DeliverySummary:
        """Send messages until nothing is due or under way, `limit` were begun, or `within` has passed.

        In the last two cases, and as soon as `is_stopping` says so, it returns with messages under way: a later call
        settles them, or `finish`. A message that fails is settled for later, so this raises only if the database does.
        """
        with self._turn:
            return self._send_due(limit, within, is_stopping)

    def send_here(self, *, within: timedelta, others: Collection[int]) -> DeliverySummary:
        """Send what is due in this process, one message after the other and without lanes, but not to `others`.

        For a process that forks no more. A message under way is over before this returns.
        """
        summary, until = DeliverySummary(), time.monotonic() + within.total_seconds()
        while time.monotonic() < until:
            with self._engine.begin() as connection:
                claimed = outbox.claim(connection, self._clock(), busy=others, meter=self._meter)
            if not claimed:
                break
            summary.messages += 1
            began = time.monotonic()
            try:
                outcome: Sent | DeliveryError = _send(*self._job(claimed[0], _Subjects(self._engine, claimed)))
            except DeliveryError as error:
                outcome = error
            self._ended.append(Ended(claimed[0], outcome, time.monotonic() - began))
            self._settle(summary)
        return summary

    def finish(self, patience: timedelta | None = None) -> DeliverySummary:
        """Wait for what is under way, then end all lanes; what is not over by then counts as failed."""
        summary = DeliverySummary()
        until = time.monotonic() + (math.inf if patience is None else patience.total_seconds())
        while self._lanes.under_way and time.monotonic() < until:
            self._wait(min(LOOK_EVERY_SECONDS, until - time.monotonic()))
            self._settle(summary)
            self._renew()
        self._wait(0.0)
        stopped = self._lanes.stop("Lootwire was stopped before the service had answered")
        self._ended += map(self._doubted, stopped)
        self._settle(summary)
        return summary

    def _send_due(
        self, limit: int | None, within: timedelta | None, is_stopping: Callable[[], bool]
    ) -> DeliverySummary:
        summary = DeliverySummary()
        until = math.inf if within is None else time.monotonic() + within.total_seconds()
        while not is_stopping() and time.monotonic() < until:
            self._settle(summary)
            self._renew()
            left = None if limit is None else limit - summary.messages
            if left == 0:
                break
            room = self._lanes.room() if left is None else min(self._lanes.room(), left)
            begun = self._begin(room, summary)
            if not begun and not self._lanes.under_way:
                break
            # Where all the room was used, there may be more to begin as soon as there is some again.
            self._wait(FRESH_SECONDS if begun == room else LOOK_EVERY_SECONDS)
        self._settle(summary)
        return summary

    def _wait(self, seconds: float) -> None:
        self._ended += map(self._doubted, self._lanes.wait(seconds))
        if self._ended and len(self._lanes.under_way) >= TOGETHER:
            # Others are about to end, and settling all together costs as much as settling one.
            self._ended += map(self._doubted, self._lanes.wait(TOGETHER_SECONDS))

    def _doubted(self, ended: Ended[outbox.ClaimedMessage]) -> Ended[outbox.ClaimedMessage]:
        """Say of a message that was broken off while it only waited for an answer any more that it may have arrived."""
        if not ended.is_broken_off or ended.seconds <= self._patience.connect:
            return ended
        return replace(ended, outcome=DeliveryError(ended.outcome.reason, unanswered=True))

    def _begin(self, room: int, summary: DeliverySummary) -> int:
        """Claim and begin up to so many messages; returns how many there were."""
        if room == 0:
            return 0
        under_way = self._lanes.under_way
        for_anybody = self._for_anybody - sum(not message.is_quick for message in under_way)
        self._gather()
        with self._engine.begin() as connection:
            claimed = outbox.claim(
                connection,
                self._clock(),
                limit=room,
                for_slow=max(0, for_anybody),
                # A lease runs out while its message is under way where the clock jumps, or the database was away long.
                busy={message.target_id for message in under_way},
                meter=self._meter,
            )
        subjects = _Subjects(self._engine, claimed)
        for message in claimed:
            if wait := self._take(turns_of(message.label, message.target_id)):
                with self._engine.begin() as connection:
                    outbox.postpone(connection, message, self._clock(), wait)
                continue
            summary.messages += 1
            try:
                seconds = self._patience.longest + SPARE_SECONDS
                alone = message.target_id in self._suspect
                self._lanes.start(message, self._job(message, subjects), seconds, alone=alone)
            except DeliveryError as error:
                self._ended.append(Ended(message, error, 0.0))
        return len(claimed)

    def _job(self, message: outbox.ClaimedMessage, subjects: "_Subjects") -> tuple[Any, ...]:
        with _in_our_words():
            # Before the first fork: all lanes share it.
            apprise_urls.load()
            load_templates()
            reader = Reader(zone(message.timezone), message.locale, self._clock())
            # The words of its language, too.
            reader.moment(self._clock())
            url = self._vault.decrypt(message.url_encrypted)
        is_owners = message.person_id == OWNER_ID
        foot = Foot(message.rules, message.target, message.unsubscribe, is_owners=is_owners)
        events = subjects.added_to(message.events) if apprise_urls.takes_events(url) else message.events
        draft = Draft(events, message.may_have_arrived, reader, foot, self._templates)
        return url, draft, self._patience, message.may_be_private

    def _renew(self) -> None:
        """Hold the leases of what is under way: a mail server has ten minutes.

        The lease itself stays short, so that what a killed worker was sending is soon tried again.
        """
        if time.monotonic() < self._renew_at or not (under_way := self._lanes.under_way):
            return
        self._renew_at = time.monotonic() + RENEW_SECONDS
        try:
            with self._engine.begin() as connection:
                for message in under_way:
                    outbox.renew(connection, message, self._clock())
        except SQLAlchemyError:
            logger.warning("the leases of %d messages were not renewed", len(under_way), exc_info=True)

    def _gather(self) -> None:
        """Follow all wakes now and then: a claim follows but a few, for what it looks at nobody else can claim."""
        if time.monotonic() >= self._gather_at:
            self._gather_at = time.monotonic() + LOOK_EVERY_SECONDS
            with self._engine.begin() as connection:
                due.gather(connection, self._clock())

    def _settle(self, summary: DeliverySummary) -> None:
        """Write down what became of the messages that are over."""
        while self._ended:
            # In one transaction, as many as there are.
            ended = list(self._ended)
            with self._engine.begin() as connection:
                counted = self._settle_all(connection, ended)
            summary.add(counted)
            for each in ended:
                self._ended.popleft()
                (self._suspect.add if each.is_suspect else self._suspect.discard)(each.key.target_id)

    def _settle_all(self, connection: Connection, ended: Sequence[Ended[outbox.ClaimedMessage]]) -> DeliverySummary:
        summary = DeliverySummary()
        sent: dict[bool, list[outbox.ClaimedMessage]] = {True: [], False: []}
        for each in ended:
            if not isinstance(each.outcome, DeliveryError):
                sent[each.seconds <= SLOW_SECONDS].append(each.key)
        if any(isinstance(each.outcome, DeliveryError) for each in ended):
            # Locked in one order, so that two senders never wait for each other.
            due.lock_targets(connection, [each.key.target_id for each in ended])
        if any(sent.values()):
            summary.sent += outbox.settle_all_sent(connection, sent, self._clock())
        given_up: list[int] = []
        for each in ended:
            if isinstance(each.outcome, DeliveryError):
                dead = _settle_failed(connection, each.key, each.outcome, self._clock(), summary)
                if dead and each.key.is_metered:
                    # Whole where any of it is given up: the message was paid for as one.
                    given_up += (delivery.id for delivery in each.key.deliveries)
            else:
                _settle_words(connection, each.key, each.outcome, self._clock())
        if given_up:
            self._give_back(connection, given_up, self._clock())
        return summary


class _Subjects:
    """What the events of messages are about, read for all of them at the first that gets the events themselves."""

    def __init__(self, engine: Engine, messages: Sequence[outbox.ClaimedMessage]) -> None:
        self._engine = engine
        self._event_ids = [event.id for message in messages for event in message.events]

    def added_to(self, events: Sequence[EventText]) -> Sequence[EventText]:
        """Return events of these messages with their subjects."""
        return tuple(replace(event, subjects=self._by_event.get(event.id, {})) for event in events)

    @cached_property
    def _by_event(self) -> dict[int, dict[str, str]]:
        with self._engine.connect() as connection:
            return load_subjects(connection, self._event_ids)


@dataclass(frozen=True)
class Sent:
    """What came of a message that was taken: for how long the service wants no other, and what a template did wrong."""

    rest: timedelta | None
    problem: str | None = None


def _send(url: str, draft: Draft, patience: Patience, may_be_private: bool) -> Sent:
    """Open, compose and send one message, in a lane; whatever goes wrong becomes a DeliveryError."""
    with _in_our_words():
        opened = apprise_urls.open_url(url, patience)
        message, problem = compose(opened, draft)
    target = draft.foot.target
    try:
        return Sent(send(url, message, patience, opened, may_be_private=may_be_private, target=target), problem)
    except DeliveryError as error:
        # A service that asks for a rest is not asked again at once.
        if not error.may_be_too_long or error.retry_after:
            raise
        with _in_our_words():
            shorter, problem = compose(replace(opened, limits=opened.limits.reduced()), draft)
        again_with = partial(send, url, patience=patience, may_be_private=may_be_private, target=target)
        if_shorter = None if shorter == message else shorter
        return Sent(_send_shorter(again_with, if_shorter, error, several=len(draft.events) > 1), problem)


@contextmanager
def _in_our_words() -> Iterator[None]:
    """Turn whatever goes wrong while a message is made into a DeliveryError."""
    try:
        yield
    except (TargetError, VaultError) as error:
        # Not permanent: the right key file may be back tomorrow.
        raise DeliveryError(str(error)) from error
    except Exception as error:
        # An event that cannot be shown must not stop the queue; its type is all we dare to store.
        raise DeliveryError(f"the message could not be made ({type(error).__name__})") from error


def _send_shorter(
    send_again: Callable[[Message], timedelta | None],
    shorter: Message | None,
    refusal: DeliveryError,
    *,
    several: bool,
) -> timedelta | None:
    """Send a refused message once more, much shorter: a server may be set to take less than its service does.

    One that is too long even so will be tomorrow as well, so its DeliveryError is permanent; unless it is about
    `several` events, each of which may be short enough.
    """
    try:
        if shorter is None:
            raise refusal
        return send_again(shorter)
    except DeliveryError as error:
        raise DeliveryError(
            error.reason,
            permanent=error.permanent or (error.too_long and not several),
            may_be_too_long=error.may_be_too_long,
            retry_after=error.retry_after,
            unanswered=error.unanswered,
            passing=error.passing,
        ) from error


def _settle_words(connection: Connection, claimed: outbox.ClaimedMessage, sent: Sent, now: datetime) -> None:
    """Keep what a service asked for, and say what was wrong with a template."""
    if sent.rest:
        outbox.let_rest(connection, claimed.target_id, now, sent.rest)
    if sent.problem:
        outbox.note_problem(connection, claimed, sent.problem)
        logger.warning("a message to %s went in the house's own words: %s", claimed.target, sent.problem)


def _settle_failed(
    connection: Connection,
    claimed: outbox.ClaimedMessage,
    error: DeliveryError,
    now: datetime,
    summary: DeliverySummary,
) -> int:
    dead = outbox.settle_failed(
        connection,
        claimed,
        now,
        error.reason,
        permanent=error.permanent,
        unanswered=error.unanswered,
        passing=error.passing,
        may_be_too_long=error.may_be_too_long,
    )
    if error.retry_after:
        outbox.let_rest(connection, claimed.target_id, now, error.retry_after, with_its_service=error.is_for_all)
    summary.dead += dead
    summary.failed += len(claimed.deliveries) - dead
    logger.warning(
        "%d deliveries to %s failed%s: %s",
        len(claimed.deliveries),
        claimed.target,
        f", {dead} for good" if dead else "",
        error.reason,
    )
    return dead
