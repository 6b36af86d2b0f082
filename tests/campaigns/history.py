"""The demo's history, with parts killed in the midst of it, gives the same facts as where nothing was disturbed.

Its hours hold what the campaign `kills` has not: campaigns that change, vanish and return, an empty answer, rewards.
The full form kills every part in turn and others at random, and then `up`, after which the next one goes on.
"""

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from sqlalchemy import Engine, select

from models import Delivery, Event
from pipeline.demo.clock import STEPS, snapshot_time
from pipeline.drops import clock
from pipeline.ingest.fetching import fetch_source
from pipeline.programs.sources import register, sources
from pipeline.runtime.runtime import Runtime, utc_now
from pipeline.runtime.settings import Settings
from tests.campaigns.campaign import Claim, Size, Trial, at_least, at_most, figure, none_of
from tests.campaigns.installation import (
    CHILD,
    SOURCES,
    Fact,
    History,
    UpAsProcess,
    facts,
    hurried,
    running,
    tracebacks,
)
from tests.campaigns.own_servers import own_databases
from tests.campaigns.trouble import HURRIED
from tests.campaigns.world import JournalSink, arrivals
from tests.processes import free_port, living
from tests.waiting import folder_of_processes, wait_for

# Every part, and what its death takes along: the host stops both servers when one of them ends.
PARTS = ("worker", f"fetcher{CHILD}", "fetcher", "postgres", "valkey", "host")
# What is killed again and again is started again after a pause that doubles, up to 40 seconds.
LIMIT = 90
WARNINGS = {"campaign.ending_soon", "campaign.last_chance"}


@dataclass(frozen=True, kw_only=True)
class Hours(Size):
    """So many hours of the history, with kills in each; `nudged` spares the wait for a tick at the end."""

    hours: int
    kills_in_turn: bool
    nudged: bool


_SHORTENS = HURRIED
FULL = Hours(shortens=_SHORTENS, hours=STEPS, kills_in_turn=True, nudged=False)
SHORT = Hours(shortens=_SHORTENS, hours=3, kills_in_turn=False, nudged=True)


@dataclass(frozen=True)
class _Sent:
    """What a target was to be told: the titles, those that were not sent, and how often was tried once more."""

    titles: list[str]
    unsent: list[str]
    retries: int


def run(size: Hours, trial: Trial) -> Sequence[Claim]:
    """Live through the hours with kills, and compare with an installation that saw them in peace."""
    with (
        History(datetime.now(UTC)) as services,
        JournalSink(trial.folder / "messages") as target,
        folder_of_processes() as folder,
        running(UpAsProcess(folder / "data", free_port(), hurried(services))) as installation,
    ):
        back_after = _live(size, trial.dice, services, target, installation)
        known = installation.ask(facts) or []
        sent = installation.ask(_sent)
        assert sent is not None
        came = arrivals(sent.titles, target.texts())
        log = tracebacks(installation)
        gone_after, survivors = _end(installation)
        resumed = _resume(installation) if size.kills_in_turn else []
    with own_databases() as own, own.databases.new() as engine, History(services.now) as again:
        expected = _undisturbed(engine, again, size.hours, trial.folder)
    facts_known, facts_expected = _of_the_mirror(known), _of_the_mirror(expected)
    lost = facts_expected - facts_known - _warnings(expected)
    return [
        none_of("facts that an undisturbed one has, lost", sorted(map(str, lost))),
        none_of("facts that an undisturbed one has not", sorted(map(str, facts_known - facts_expected))),
        none_of("events twice", _twice(known)),
        at_least("events", len(known), 30),
        none_of("deliveries that were not sent", sent.unsent),
        none_of("told, and never arrived", came.missing),
        at_most("messages that came twice (tried twice)", came.repeated, sent.retries),
        at_least("deliveries", len(sent.titles), 1),
        none_of("tracebacks in the log", log),
        none_of("processes that outlive `up`", survivors),
        none_of("events twice after the next `up`", resumed),
        figure("back after, at most", max(back_after), "s"),
        figure("without `up` all gone after", gone_after, "s"),
    ]


def _live(
    size: Hours, dice: random.Random, services: History, target: JournalSink, installation: UpAsProcess
) -> list[float]:
    """Live through the hours; returns after how many seconds each part that was killed was back."""
    back_after: list[float] = []
    plan = _plan(size, dice)
    for hour in range(size.hours):
        back_after += [_strike_and_recover(installation, part) for part in plan.get(hour, [])]
        wait_for(partial(installation.has_seen, snapshot_time(services.now, hour)), LIMIT)
        if hour == 0:
            # A source's first answer notifies no address, so nothing is missed before.
            installation.tell(f"json{target.url.removeprefix('http')}")
        if hour + 1 < size.hours:
            services.advance()
    # One more tick of the clock than beat gave: it does no harm, and saves the wait.
    installation.ask(lambda database: clock.advance(database, utc_now()))
    if size.nudged:
        # The sweeps each 15 seconds would find it all.
        wait_for(installation.nudge, LIMIT)
    wait_for(installation.is_settled, LIMIT)
    return back_after


def _plan(size: Hours, dice: random.Random) -> dict[int, list[str]]:
    """Return which parts are killed while each hour is served."""
    if not size.kills_in_turn:
        return {1: ["worker"], 2: ["postgres"]}
    in_turn = [[part] for part in PARTS] + [[]] * size.hours
    return {hour: [*in_turn[hour - 1], dice.choice(PARTS)] for hour in range(1, size.hours)}


def _strike_and_recover(installation: UpAsProcess, part: str) -> float:
    struck: list[int] = []

    def strike() -> bool:
        pid = installation.strike(part)
        struck.extend([pid] if pid else [])
        return bool(struck)

    wait_for(strike, LIMIT)
    began, since = time.monotonic(), utc_now()
    wait_for(lambda: installation.is_back(part, struck[0], since), LIMIT)
    return time.monotonic() - began


def _end(installation: UpAsProcess) -> tuple[float, list[str]]:
    """Kill `up`; returns after how many seconds all was gone, and what was not."""
    before = installation.processes()
    assert len(before) > 10
    began = time.monotonic()
    installation.kill()
    wait_for(lambda: not living(set(before)))
    servers = installation.ask(facts)
    return time.monotonic() - began, [] if servers is None else ["the servers still answer"]


def _resume(installation: UpAsProcess) -> list[str]:
    """Start `up` again, and wait until it fetches; returns the events that there are twice by then."""
    since = utc_now()
    installation.start()
    wait_for(lambda: installation.is_back("fetcher", 0, since), LIMIT)
    return _twice(installation.ask(facts) or [])


def _undisturbed(engine: Engine, services: History, hours: int, folder: Path) -> list[Fact]:
    """Return the facts of an installation that saw every hour of the history and was never disturbed."""
    settings = Settings(
        data_dir=folder / "undisturbed",
        drops_mirror_url=services.mirror_url,
        kick_url=services.kick_url,
        chzzk_url=services.chzzk_url,
        chzzk_first_number=1204,
        drops_mirror_poll_seconds=1,
        kick_poll_seconds=1,
        chzzk_poll_seconds=1,
    )
    url = engine.url.render_as_string(hide_password=False)
    runtime = Runtime(settings=settings, database_url=url, redis_url="")
    for hour in range(hours):
        with engine.begin() as connection:
            register(connection, runtime, utc_now())
            connection.exec_driver_sql("UPDATE sources SET next_due_at = now() - interval '1 second'")
        for source in sources(runtime):
            if source.name in SOURCES:
                assert fetch_source(engine, source, utc_now)
        clock.advance(engine, utc_now())
        if hour + 1 < hours:
            services.advance()
    runtime.engine.dispose()
    return facts(engine)


def _of_the_mirror(known: Sequence[Fact]) -> set[tuple[str, str | None, str]]:
    """The events of the sources that are sure to see each hour; CHZZK's is found by probing, a number at a time."""
    return {(fact.kind, fact.campaign, fact.key) for fact in known if fact.service == "twitch"}


def _warnings(known: Sequence[Fact]) -> set[tuple[str, str | None, str]]:
    """The events that depend on when the clock was looked at, which an undisturbed installation does each hour.

    A campaign that is extended in time is never warned of, if nobody looked before.
    """
    return {fact for fact in _of_the_mirror(known) if fact[0] in WARNINGS}


def _twice(known: Sequence[Fact]) -> list[str]:
    keys = [fact.key for fact in known]
    return sorted({key for key in keys if keys.count(key) > 1})


def _sent(engine: Engine) -> _Sent:
    query = select(Event.title, Delivery.state, Delivery.attempts).join(Event, Event.id == Delivery.event_id)
    with engine.connect() as connection:
        rows = connection.execute(query).all()
    return _Sent(
        titles=[title for title, _, _ in rows],
        unsent=[f"{title} ({state})" for title, state, _ in rows if state != "sent"],
        retries=sum(attempts - 1 for _, _, attempts in rows),
    )
