"""The outbox in trouble: senders are killed while they send, services fail and never answer, and half of it is held.

    uv run --frozen python bench/outbox_chaos.py [CHANGES] [KILLS] [--tiny]

Changes are appended in rounds, each for a few of many targets: some of these have a quiet night, some an hourly digest,
some both. Processes with a sender each send what is due to a local server, which answers 2 % of the messages with HTTP
500 and never answers 1 %, of which it takes half. In each round senders are killed by SIGKILL, and others take their
place. Between rounds the clock of all senders jumps by up to two hours while nobody sends, so that nights end, digests
are due, and leases of the dead run out. In the end every change has arrived at every target that wants it. Goals: none
lost; no more messages twice than one for each message that a killed sender may have had under way, and one for each
that was taken without an answer; each of these explained by its row: it was tried as often as it arrived, and was
unanswered, or under way when a sender was killed.
"""

import asyncio
import logging
import multiprocessing
import random
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any

# A script's own folder comes first on the path, where bench/feeds.py would hide the package of that name.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sqlalchemy import Engine, text

from bench.databases import Servers
from bench.results import Result, bounded
from bench.running import Size, run_alone
from models.vault import Vault
from notifiers import match
from notifiers.deliver import Sender
from notifiers.deliveries import next_due_at
from notifiers.hearing import Patience
from pipeline.database.connecting import connect

T0 = datetime(2026, 11, 20, 20, tzinfo=UTC)
FAILING, SILENT = 0.02, 0.01
TARGETS_A_GAME = 4
SETTINGS = (
    "{}",
    '{"quiet": [{"begins": "22:00", "ends": "06:00"}]}',
    '{"digest": {"every": "hour", "at": "00:10"}}',
    '{"digest": {"every": "hour", "at": "00:40"}, "quiet": [{"begins": "23:00", "ends": "04:00"}]}',
)
TOKEN = re.compile(r"c\d{6}")
MORE = re.compile(r"and (\d+) more")
# A message's target, the changes that it names, and how many more it counts.
Taken = tuple[str, frozenset[str], int]
# With room for the silent ones of a busy machine; what takes longer counts as unanswered, and is explained by its row.
ANSWER_SECONDS = 2.0
LONGEST_WAIT = 300.0


@dataclass(frozen=True)
class Chaos(Size):
    """How many changes and kills there are, in so many rounds, and so many processes that send in so many lanes."""

    changes: int
    kills: int
    rounds: int = field(kw_only=True)
    targets: int = field(kw_only=True, default=200)
    senders: int = field(kw_only=True, default=4)
    lanes: int = field(kw_only=True, default=4)


FULL = Chaos(10_000, 200, rounds=40)
TINY = Chaos(40, 2, rounds=2, targets=8, senders=2, lanes=2)


class Trouble:
    """A service that keeps what it took, and treats messages as its dice say."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)
        self.taken: list[Taken] = []
        self.silent_taken = self.failed = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (head := await reader.readuntil(b"\r\n\r\n")) and await self._treat(head, reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            # A sender was killed, its connection was done, or all is over.
            pass
        finally:
            writer.close()

    async def _treat(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        length = re.search(rb"(?i)content-length: *(\d+)", head)
        body = await reader.readexactly(int(length[1]) if length else 0)
        chance = self._dice.random()
        if chance < FAILING:
            self.failed += 1
            return await _answer(writer, b"500 Internal Server Error")
        is_silent = chance < FAILING + SILENT
        if not is_silent or self._dice.random() < 0.5:
            target = head.split(b" ", 2)[1].decode().strip("/")
            more = MORE.search(body.decode())
            self.taken.append((target, frozenset(TOKEN.findall(body.decode())), int(more[1]) if more else 0))
            self.silent_taken += is_silent
        if is_silent:
            await asyncio.sleep(60)
            return False
        return await _answer(writer, b"200 OK")


async def _answer(writer: asyncio.StreamWriter, status: bytes) -> bool:
    writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n")
    await writer.drain()
    return True


def serve(pipe: Pipe, seed: int) -> None:
    """Be the service until asked for what was taken."""

    async def run() -> None:
        trouble = Trouble(seed)
        server = await asyncio.start_server(trouble.serve, "127.0.0.1", 0, backlog=512)
        pipe.send(server.sockets[0].getsockname()[1])
        await asyncio.get_running_loop().run_in_executor(None, pipe.recv)
        pipe.send((trouble.taken, trouble.silent_taken, trouble.failed))

    asyncio.run(run())


@dataclass
class Clock:
    """The present of all senders: real time, and what the clock has jumped; nobody sends while it jumps."""

    began: float
    jumped: Any
    runs: Any

    def now(self) -> datetime:
        seconds: float = time.time() - self.began + self.jumped.value
        return T0 + timedelta(seconds=seconds)


def send(database_url: str, key_file: Path, clock: Clock, rests: Any, lanes: int) -> None:
    """Send what is due, for ever; while the clock is to jump, finish what is under way and say so."""
    # Each failure is a line, and there are many.
    logging.getLogger("notifiers").setLevel(logging.CRITICAL)
    engine = connect(database_url)
    patience = Patience(connect=5.0, http_answer=ANSWER_SECONDS, http_body=1.0, whole=10.0)
    sender = Sender(engine, Vault.open(key_file), clock.now, lanes=lanes, patience=patience)
    while True:
        sender.send_due(is_stopping=lambda: not clock.runs.is_set())
        if not clock.runs.is_set():
            sender.finish()
            rests.set()
            clock.runs.wait()
            rests.clear()
        time.sleep(0.02)


class Senders:
    """The processes that send; one that is killed has a successor at once."""

    def __init__(self, start: Callable[[Any], Any], count: int, context: Any) -> None:
        self._start, self._context = start, context
        self._slots = [self._new() for _ in range(count)]

    def _new(self) -> tuple[Any, Any]:
        rests = self._context.Event()
        process = self._start(rests)
        process.start()
        return process, rests

    def kill(self, dice: random.Random) -> None:
        slot = dice.randrange(len(self._slots))
        process, _ = self._slots[slot]
        process.kill()
        process.join()
        self._slots[slot] = self._new()

    def rest(self, clock: Clock) -> None:
        """Have nobody send any more, and wait until it is so."""
        clock.runs.clear()
        for _, rests in self._slots:
            assert rests.wait(LONGEST_WAIT), "a sender does not come to rest"

    def end(self) -> None:
        for process, _ in self._slots:
            process.kill()
            process.join()


@dataclass
class Progress:
    """What was killed, and which deliveries were under way when a sender was."""

    kills: int = 0
    under_way: set[int] = field(default_factory=set)


@contextmanager
def service(context: Any) -> Iterator[tuple[int, Callable[[], Any]]]:
    """Run the service; gives its port, and what ends it and returns what it took."""
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs, 3))
    process.start()

    def ended() -> Any:
        ours.send(None)
        return ours.recv()

    try:
        yield ours.recv(), ended
    finally:
        process.kill()
        process.join()


def fill(engine: Engine, vault: Vault, port: int, targets: int) -> None:
    """Add targets in their own ways, a few for each game."""
    with engine.begin() as connection:
        for number in range(targets):
            game = f"game {number // TARGETS_A_GAME}"
            row = {"name": f"t{number}", "url": vault.encrypt(f"json://127.0.0.1:{port}/t{number}"), "at": T0}
            row |= {"settings": SETTINGS[number % len(SETTINGS)], "key": f"*|game|{game}", "game": game}
            row["number"] = f"g{number // TARGETS_A_GAME}"
            for statement in (_GAMES, _TARGETS, _SUBSCRIPTIONS, _KEYS):
                connection.execute(statement, row)


_GAMES = text("INSERT INTO games (name, name_key, public_id) VALUES (:game, :game, :number) ON CONFLICT DO NOTHING")
_TARGETS = text(
    "INSERT INTO targets (name, url_encrypted, label, created_at, settings) "
    "VALUES (:name, :url, '', :at, CAST(:settings AS jsonb) || '{\"private\": true}')"
)
_SUBSCRIPTIONS = text(
    "INSERT INTO subscriptions (target_id, name, is_exact, created_at) "
    "SELECT id, name, true, created_at FROM targets WHERE name = :name"
)
_KEYS = text("INSERT INTO subscription_keys SELECT :key, id FROM subscriptions WHERE name = :name")
_EVENT = text(
    "INSERT INTO events (kind, event_key, occurred_at, recorded_at, title, service, silent, detail, game_id) "
    "SELECT 'campaign.added', :key, :at, :at, 'New drops: ' || :key, 'twitch', false, '{}', "
    "(SELECT id FROM games ORDER BY id OFFSET :game LIMIT 1) RETURNING id"
)


def change(engine: Engine, clock: Clock, numbers: range, games: int, dice: random.Random) -> None:
    """Append changes, some to a transaction."""
    left = list(numbers)
    while left:
        part, left = left[: (size := dice.randint(1, 20))], left[size:]
        with engine.begin() as connection:
            now = clock.now()
            rows = [{"key": f"c{number:06d}", "at": now, "game": dice.randrange(games)} for number in part]
            match.fan_out(connection, [connection.execute(_EVENT, row).scalar_one() for row in rows], now)


def rows(engine: Engine, query: str) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(text(query)))


_WAITING = "SELECT id FROM deliveries WHERE state IN ('pending', 'sending')"
_SENDING = "SELECT id FROM deliveries WHERE state = 'sending'"
_ALL = (
    "SELECT d.id, t.name AS target, e.event_key AS token, d.state, d.attempts, d.unanswered, d.sent_at "
    "FROM deliveries d JOIN targets t ON t.id = d.target_id JOIN events e ON e.id = d.event_id"
)


_DUE = text(
    "SELECT EXISTS (SELECT FROM deliveries d WHERE d.state = 'pending' AND d.next_attempt_at <= :now AND NOT EXISTS "
    "(SELECT FROM deliveries o WHERE o.target_id = d.target_id AND o.state = 'sending'))"
)


def play(size: Chaos, engine: Engine, clock: Clock, senders: Senders, dice: random.Random) -> Progress:
    """Go through all rounds, then wait until nothing waits."""
    progress = Progress()
    games = -(-size.targets // TARGETS_A_GAME)
    for number in range(size.rounds):
        begin, end = (size.changes * each // size.rounds for each in (number, number + 1))
        change(engine, clock, range(begin, end), games, dice)
        while progress.kills < size.kills * (number + 1) // size.rounds:
            _strike(engine, senders, progress, dice)
        _jump(engine, clock, senders, timedelta(minutes=dice.uniform(20, 120)))
    while rows(engine, _WAITING):
        _jump(engine, clock, senders, None)
    return progress


def _strike(engine: Engine, senders: Senders, progress: Progress, dice: random.Random) -> None:
    """Kill a sender, where possible while something is under way."""
    until = time.monotonic() + 2
    while not rows(engine, _SENDING) and time.monotonic() < until:
        time.sleep(0.005)
    time.sleep(dice.uniform(0, 0.05))
    # Before and after: of what happens in between nothing is missed.
    before = {row.id for row in rows(engine, _SENDING)}
    senders.kill(dice)
    progress.under_way |= before | {row.id for row in rows(engine, _SENDING)}
    progress.kills += 1


def _jump(engine: Engine, clock: Clock, senders: Senders, by: timedelta | None) -> None:
    """Let what is due be sent, then the clock jump, without `by` to when something is due next."""
    began = time.monotonic()
    while _is_due(engine, clock.now()) and time.monotonic() < began + LONGEST_WAIT:
        time.sleep(0.05)
    senders.rest(clock)
    if by is None:
        with engine.connect() as connection:
            next_at = next_due_at(connection)
        # Pauses between attempts are shorter than that at first, and many jumps take their time.
        by = max((next_at or clock.now()) - clock.now() + timedelta(seconds=1), timedelta(minutes=10))
    clock.jumped.value += by.total_seconds()
    clock.runs.set()


def _is_due(engine: Engine, now: datetime) -> bool:
    """Whether anything can be sent; what waits behind a message of a dead sender does so until the clock jumps."""
    with engine.connect() as connection:
        return bool(connection.scalar(_DUE, {"now": now}))


def run(servers: Servers, size: Chaos) -> list[Result]:
    """Play, and compare what arrived with what should."""
    dice = random.Random(5)
    context: Any = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["bench.outbox_chaos", "bench._sending"])
    url = servers.database_url()
    engine = connect(url)
    with tempfile.TemporaryDirectory() as folder, service(context) as (port, ended):
        key_file = Path(folder) / "key"
        fill(engine, Vault.open(key_file), port, size.targets)
        clock = Clock(time.time(), context.Value("d", 0.0), context.Event())
        clock.runs.set()
        make = partial(_process, context, (url, key_file, clock), size.lanes)
        senders = Senders(make, size.senders, context)
        began = time.monotonic()
        try:
            progress = play(size, engine, clock, senders, dice)
        finally:
            senders.end()
        seconds = time.monotonic() - began
        taken, silent, failed = ended()
    print(f"{len(taken):,} messages, {failed} failed, {silent} taken without an answer, {progress.kills} kills")
    results = compare(rows(engine, _ALL), taken, silent, progress, size)
    engine.dispose()
    return [*results, bounded("seconds", seconds, "s", beside=f"{len(taken):,} messages taken")]


def _process(context: Any, given: tuple[Any, ...], lanes: int, rests: Any) -> Any:
    # No daemon: those may have no children, which lanes are.
    return context.Process(target=send, args=(*given, rests, lanes))


def compare(deliveries: list[Any], taken: list[Taken], silent: int, progress: Progress, size: Chaos) -> list[Result]:
    """Return what was lost, what came twice, and what of it no row explains."""
    arrived: Counter[tuple[str, str]] = Counter()
    repeated = 0
    for target, tokens in _complete(deliveries, taken):
        repeated += any(arrived[target, token] for token in tokens)
        arrived.update((target, token) for token in tokens)
    lost = [row for row in deliveries if not arrived[row.target, row.token] or row.state != "sent"]
    unexplained = [row for row in deliveries if not _is_explained(row, arrived, progress)]
    unasked = arrived.keys() - {(row.target, row.token) for row in deliveries}
    may_repeat = progress.kills * size.lanes + silent
    assert not lost, lost[:5]
    assert not unexplained, unexplained[:5]
    assert not unasked, sorted(unasked)[:5]
    assert repeated <= may_repeat
    assert progress.kills >= size.kills
    name = f"{size.changes:,} changes, {len(deliveries):,} deliveries, {progress.kills} kills"
    return [
        bounded(f"{name}: lost", len(lost), "deliveries", most=0),
        bounded("messages that came twice", repeated, "messages", most=may_repeat, beside=f"{silent} never answered"),
        bounded("of these not explained by their rows", len(unexplained), "deliveries", most=0),
    ]


def _complete(deliveries: list[Any], taken: list[Taken]) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield each message with all changes that it was about: of a long list those, too, that it only counts.

    What was settled at one moment at one target was one message.
    """
    together: dict[tuple[str, datetime], set[str]] = {}
    for row in deliveries:
        if row.sent_at is not None:
            together.setdefault((row.target, row.sent_at), set()).add(row.token)
    of_target: dict[str, list[set[str]]] = {}
    for (target, _), tokens in together.items():
        of_target.setdefault(target, []).append(tokens)
    for target, named, more in taken:
        whole = (tokens for tokens in of_target[target] if named <= tokens and len(tokens) == len(named) + more)
        yield target, frozenset(next(whole, named))


def _is_explained(row: Any, arrived: Mapping[tuple[str, str], int], progress: Progress) -> bool:
    times = arrived[row.target, row.token]
    return times <= 1 or (times <= row.attempts and (row.unanswered > 0 or row.id in progress.under_way))


if __name__ == "__main__":
    sys.exit(run_alone(run, FULL, TINY))
