"""`up` while its parts are killed: it comes back by itself, and knows and tells what it would have anyway.

The short form kills a few parts, the long one (LOOTWIRE_CAMPAIGN=long) every part in turn and then at random.
"""

import os
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from models import Delivery, Event
from pipeline.demo.clock import STEPS, snapshot_time
from pipeline.demo.sinks import WebhookSink
from pipeline.drops import clock
from pipeline.ingest.fetching import fetch_source
from pipeline.programs.sources import register, sources
from pipeline.runtime.runtime import Runtime, utc_now
from pipeline.runtime.settings import Settings
from tests.campaigns.installation import SOURCES, Fact, History, UpAsProcess, facts
from tests.processes import free_port, living
from tests.waiting import folder_of_processes, wait_for

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks for processes in /proc"),
]

LONG = os.environ.get("LOOTWIRE_CAMPAIGN") == "long"
# Every part, and what its death takes along: the host stops both servers when one of them ends.
PARTS = ("worker", "pool child", "fetcher", "sender", "publisher", "beat", "postgres", "valkey", "host")
# What is killed again and again is started again after a pause that doubles, up to a minute.
LIMIT = 90
RANDOM_KILLS = 1


@pytest.fixture
def services() -> Iterator[History]:
    with History(datetime.now(UTC)) as running:
        yield running


@pytest.fixture
def hook() -> Iterator[WebhookSink]:
    with WebhookSink() as sink:
        yield sink


@pytest.fixture
def installation(services: History) -> Iterator[UpAsProcess]:
    with folder_of_processes() as folder:
        running = UpAsProcess(folder / "data", services, free_port())
        running.start()
        try:
            yield running
        finally:
            before = set(running.processes())
            running.kill()
            wait_for(lambda: not living(before))


def undisturbed(engine: Engine, services: History, steps: int, tmp_path: Path) -> list[Fact]:
    """Return the facts of an installation that saw every hour of the history and was never disturbed."""
    settings = Settings(
        data_dir=tmp_path,
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
    for step in range(steps):
        with engine.begin() as connection:
            register(connection, runtime, utc_now())
            connection.exec_driver_sql("UPDATE sources SET next_due_at = now() - interval '1 second'")
        for source in sources(runtime):
            if source.name in SOURCES:
                assert fetch_source(engine, source, utc_now)
        clock.advance(engine, utc_now())
        if step + 1 < steps:
            services.advance()
    runtime.engine.dispose()
    return facts(engine)


def strikes(steps: int) -> dict[int, list[str]]:
    """Which parts are killed while each hour of the history is served: all in turn, then at random."""
    if not LONG:
        return {1: ["worker"], 2: ["postgres"]}
    dice = random.Random(20251120)  # noqa: S311 - not a secret
    in_turn = [[part] for part in PARTS] + [[]] * steps
    return {step: in_turn[step - 1] + dice.choices(PARTS, k=RANDOM_KILLS) for step in range(1, steps)}


def test_parts_that_are_killed_come_back_and_nothing_is_lost_or_told_twice(
    installation: UpAsProcess,
    services: History,
    hook: WebhookSink,
    engine: Engine,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    steps = STEPS if LONG else 3
    plan, recoveries = strikes(steps), list[str]()
    for step in range(steps):
        for part in plan.get(step, []):
            recoveries.append(f"{part} {strike_and_recover(installation, part):.1f} s")
        wait_for(partial(installation.has_seen, snapshot_time(services.now, step)), LIMIT)
        if step == 0:
            # A source's first answer notifies no address, so nothing is missed before.
            installation.tell(f"json{hook.url.removeprefix('http')}")
        if step + 1 < steps:
            services.advance()
    # One more tick of the clock than beat gave: it does no harm, and saves the wait.
    installation.ask(lambda database: clock.advance(database, utc_now()))
    if not LONG:
        # The sweeps each 15 seconds would find it all; the long form waits for them.
        wait_for(installation.nudge, LIMIT)
    wait_for(installation.is_settled, LIMIT)

    known = installation.ask(facts) or []
    with History(services.now) as again:
        expected = undisturbed(engine, again, steps, tmp_path)
    assert len({fact.key for fact in known}) == len(known)
    assert of_the_mirror(known) - warnings(known) == of_the_mirror(expected) - warnings(expected)
    assert warnings(known) <= warnings(expected)
    sent = check_deliveries(installation, hook)
    assert [line for line in installation.log.read_text().splitlines() if "Traceback" in line] == []
    before = set(installation.processes())
    assert len(before) > 10
    killed_at = time.monotonic()
    installation.kill()
    wait_for(lambda: not living(before))
    gone_after = time.monotonic() - killed_at
    with capsys.disabled():
        lines = [", ".join(recoveries), f"without `up` all gone in {gone_after:.1f} s", f"{len(known)} events; {sent}"]
        sys.stdout.write("\n" + "\n".join(lines) + "\n")


def strike_and_recover(installation: UpAsProcess, part: str) -> float:
    """Kill a part, and wait until it is back; returns how many seconds that took."""
    struck: list[int] = []

    def strike() -> bool:
        pid = installation.strike(part)
        struck.extend([pid] if pid else [])
        return bool(struck)

    wait_for(strike, LIMIT)
    began, since = time.monotonic(), utc_now()
    wait_for(lambda: installation.is_back(part, struck[0], since), LIMIT)
    return time.monotonic() - began


def of_the_mirror(known: Sequence[Fact]) -> set[tuple[str, str | None, str | None]]:
    """The events of the sources that are sure to see each hour; CHZZK's is found by probing, a number at a time."""
    return {(fact.kind, fact.campaign, fact.key) for fact in known if fact.service == "twitch"}


def warnings(known: Sequence[Fact]) -> set[tuple[str, str | None, str | None]]:
    """The events that depend on when the clock was looked at, which an undisturbed installation does each hour.

    A campaign that is extended in time is never warned of, if nobody looked before.
    """
    return {fact for fact in of_the_mirror(known) if fact[0] in {"campaign.ending_soon", "campaign.last_chance"}}


def check_deliveries(installation: UpAsProcess, hook: WebhookSink) -> str:
    """Check that every delivery was sent, arrived, and arrived twice only where it was tried twice; tells how many."""
    query = select(Event.title, Delivery.state, Delivery.attempts).join(Event, Event.id == Delivery.event_id)

    def look(engine: Engine) -> list[tuple[str, str, int]]:
        with engine.connect() as connection:
            return [(row[0], row[1], row[2]) for row in connection.execute(query)]

    deliveries = installation.ask(look) or []
    assert deliveries
    assert {state for _, state, _ in deliveries} == {"sent"}
    texts = [f"{message.json['title']}\n{message.json['message']}" for message in hook.messages]
    # What a chat would take for a command is made harmless in a message; the words before it are enough to know it by.
    wanted = Counter(title.partition("@")[0] for title, _, _ in deliveries)
    arrived = {title: sum(text.count(title) for text in texts) for title in wanted}
    assert [title for title in wanted if arrived[title] < wanted[title]] == []
    doubled = sum(max(0, len([text for text in texts if title in text]) - wanted[title]) for title in wanted)
    retried = sum(attempts - 1 for _, _, attempts in deliveries)
    assert doubled <= retried
    return f"{len(deliveries)} deliveries in {len(texts)} messages, {retried} tried again, {doubled} arrived twice"


@pytest.mark.skipif(not LONG, reason="LOOTWIRE_CAMPAIGN=long runs it")
def test_killing_up_leaves_nothing_and_the_next_one_goes_on(installation: UpAsProcess, services: History) -> None:
    wait_for(partial(installation.has_seen, snapshot_time(services.now, 0)), LIMIT)
    before = set(installation.processes())
    assert len(before) > 10
    installation.kill()
    wait_for(lambda: not living(before))
    known = installation.ask(facts)
    assert known is None  # the servers are gone too
    services.advance()
    installation.start()
    wait_for(partial(installation.has_seen, snapshot_time(services.now, 1)), LIMIT)
    known = installation.ask(facts) or []
    assert len({fact.key for fact in known}) == len(known) > 30
