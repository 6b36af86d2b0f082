"""Judges what is wrong with an installation: what operators hear of, `/health` and `lootwire status` show. Pure."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

import msgspec

from models.details import OperatorDetail
from models.events import EventKind
from models.words import title
from models.words.units import counted_plainly, distance

# What each program is called, and how long it may do nothing: its longest task takes ten minutes (`tasks`).
PATIENCE: Mapping[str, timedelta] = {
    "worker": timedelta(minutes=5),
    "sender": timedelta(minutes=10),
    "publisher": timedelta(minutes=20),
    "fetcher": timedelta(minutes=20),
    "eventsub": timedelta(minutes=10),
}
# What waits for its turn at a target that takes messages, while other messages go.
OVERDUE = timedelta(minutes=30)
# Of a target that takes messages again a single one that was given up is still told.
DEAD_LATELY = timedelta(hours=1)
# A transaction that writes and stays open: until it ends, nobody who follows events hears of any.
OPEN = timedelta(seconds=30)
SHARED = ""


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is wrong; `kind`, `subject` and `host` tell it from others.

    `host` is the machine that it is on, nothing where it concerns all. What `stops_work` makes an installation unwell.
    One that is not `is_seen` was reported by the program that met it, and is known no better than that.
    """

    kind: EventKind
    subject: str = ""
    host: str = SHARED
    name: str | None = None
    reason: str | None = None
    since: datetime | None = None
    stops_work: bool = True
    is_seen: bool = True

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells it from others."""
        return self.kind.value, self.subject, self.host

    def detail(self, *, is_repeated: bool = False) -> OperatorDetail:
        """Return it as an event shows it."""
        return OperatorDetail(
            name=self.name, reason=self.reason, since=self.since, host=self.host or None, is_repeated=is_repeated
        )

    @property
    def headline(self) -> str:
        """It in one line."""
        return title(self.kind, None, self.detail())


class DeadLetters(msgspec.Struct, frozen=True, kw_only=True):
    """Messages to a target that were given up: how many, when the last was, and why.

    `works_since` says that it has taken another one since then.
    """

    target_id: int
    target: str
    is_operators: bool
    count: int
    last_at: datetime
    works_since: bool
    error: str | None


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """What one machine sees of itself, without any database; a text says what is wrong, None that all is well."""

    host: str
    disk: str | None = None
    read_only: str | None = None
    # Asked once a minute only: it is tried out.
    publishing: str | None = None
    # The kinds that were looked for: of these an earlier report is worth nothing.
    sees: frozenset[EventKind] = frozenset()


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What is judged. `ticking_since` is when the clock began to tick without a pause: before that nothing ran."""

    now: datetime
    ticking_since: datetime
    machine: Machine
    # When each program that should run last did anything.
    signs_of_life: Mapping[str, datetime | None]
    # The oldest message that is due at a target that should have it, and how many are.
    overdue_since: datetime | None = None
    overdue: int = 0
    dead: tuple[DeadLetters, ...] = ()
    is_clock_doubted: bool = False
    # How long the oldest transaction is open that writes.
    open_for: timedelta = timedelta(0)
    # By how much the clocks of services are ahead of ours, below zero where they are behind.
    services_ahead: timedelta | None = None
    # What programs met lately.
    reported: tuple[Trouble, ...] = ()


def judge(facts: Facts) -> tuple[Trouble, ...]:
    """Return all that is wrong; what is seen now stands for what was reported of the same."""
    seen = {trouble.key: trouble for trouble in _seen(facts)}
    believed = (trouble for trouble in facts.reported if not _is_known_better(facts.machine, trouble))
    reported = {trouble.key: trouble for trouble in believed if trouble.key not in seen}
    return (*seen.values(), *reported.values())


def _is_known_better(machine: Machine, trouble: Trouble) -> bool:
    return trouble.host == machine.host and trouble.kind in machine.sees


def judge_machine(machine: Machine) -> Iterator[Trouble]:
    """Yield what is wrong with a machine: what can be said where there is no database."""
    if machine.disk:
        is_full = machine.disk.startswith("full")
        yield Trouble(
            kind=EventKind.OPERATOR_DISK_FULL,
            subject="full" if is_full else "nearly full",
            host=machine.host,
            reason=machine.disk,
            stops_work=is_full,
        )
    if machine.read_only:
        yield Trouble(kind=EventKind.OPERATOR_DISK_READ_ONLY, host=machine.host, reason=machine.read_only)
    if machine.publishing:
        yield publishing_failed(machine.host, machine.publishing)


def publishing_failed(host: str, reason: str) -> Trouble:
    """Return the trouble that feeds and pages cannot be written."""
    return Trouble(kind=EventKind.OPERATOR_PUBLISH_FAILED, host=host, reason=reason)


def bucket_failed(url: str, reason: str) -> Trouble:
    """Return the trouble that the copy of the published folder is not kept up; the folder itself is well."""
    kind = EventKind.OPERATOR_PUBLISH_FAILED
    return Trouble(kind=kind, subject="bucket", name=f"The bucket {url}", reason=reason, stops_work=False)


def hub_failed(hub: str, reason: str) -> Trouble:
    """Return the trouble that a hub does not take our pings, and its readers hear of news when they ask themselves."""
    kind = EventKind.OPERATOR_PING_FAILED
    return Trouble(kind=kind, subject=hub, name=f"The ping to the hub {hub}", reason=reason, stops_work=False)


def clock_jumped_back(jump: timedelta) -> Trouble:
    """Return the trouble that the clock was set back; it is over as soon as the clock has ticked for a while."""
    rounded = timedelta(minutes=round(jump / timedelta(minutes=1)))
    reason = f"jumped back by {distance(rounded)}; what waited for a later time is due now"
    return Trouble(kind=EventKind.OPERATOR_CLOCK_JUMPED, subject="back", reason=reason, stops_work=False)


def ping_failed(reason: str) -> Trouble:
    """Return the trouble that the ping address does not take our ping."""
    return Trouble(kind=EventKind.OPERATOR_PING_FAILED, reason=reason, stops_work=False)


def _seen(facts: Facts) -> Iterator[Trouble]:
    yield from judge_machine(facts.machine)
    yield from _stalled(facts)
    yield from (_dead(dead, facts.now) for dead in facts.dead if _is_news(dead, facts.now))
    if facts.is_clock_doubted:
        yield Trouble(
            kind=EventKind.OPERATOR_CLOCK_JUMPED,
            subject="ahead",
            host=facts.machine.host,
            reason="was set ahead; until a service has the same time, nothing starts or ends by it",
            stops_work=False,
        )
    elif facts.services_ahead is not None:
        yield _disagreement(facts.services_ahead, facts.machine.host)


def _disagreement(services_ahead: timedelta, host: str) -> Trouble:
    minutes = timedelta(minutes=round(abs(services_ahead) / timedelta(minutes=1)))
    direction = "behind" if services_ahead > timedelta(0) else "ahead of"
    reason = f"is {distance(minutes)} {direction} the time that services give; set it right"
    return Trouble(kind=EventKind.OPERATOR_CLOCK_JUMPED, subject="disputed", host=host, reason=reason, stops_work=False)


def _stalled(facts: Facts) -> Iterator[Trouble]:
    for program, seen_at in facts.signs_of_life.items():
        since = max(seen_at or facts.ticking_since, facts.ticking_since)
        if facts.now - since > PATIENCE[program]:
            yield Trouble(
                kind=EventKind.OPERATOR_STALLED,
                subject=program,
                name=f"The program {program}",
                # When is said apart, by the clock of whoever reads it.
                reason="it takes up nothing",
                since=since,
            )
    if facts.open_for > OPEN:
        yield Trouble(
            kind=EventKind.OPERATOR_STALLED,
            subject="transaction",
            name="A transaction of the database",
            reason="nobody who follows events hears of any until it ends",
            since=facts.now - facts.open_for,
            stops_work=False,
        )
    if facts.overdue_since is None:
        return
    since = max(facts.overdue_since, facts.ticking_since)
    if facts.now - since > OVERDUE:
        waiting = counted_plainly(facts.overdue, "message")
        yield Trouble(
            kind=EventKind.OPERATOR_STALLED,
            subject="messages",
            name="The queue of messages",
            reason=f"{waiting} due and not sent",
            since=facts.overdue_since,
        )


def _is_news(dead: DeadLetters, now: datetime) -> bool:
    return not dead.works_since or now - dead.last_at < DEAD_LATELY


def _dead(dead: DeadLetters, now: datetime) -> Trouble:
    last = f"; the last: {dead.error}" if dead.error else ""
    return Trouble(
        kind=EventKind.OPERATOR_DELIVERIES_DEAD,
        subject=str(dead.target_id),
        name=dead.target,
        reason=f"{dead.count} so far{last}",
        since=min(dead.last_at, now),
        # Whoever should hear of all this hears nothing.
        stops_work=dead.is_operators,
    )
