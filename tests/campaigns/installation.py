"""A whole installation with embedded servers: `lootwire up` as a process, its database as seen from outside."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple, TypeVar

from sqlalchemy import Connection, Engine, func, select, update
from sqlalchemy.exc import DBAPIError, OperationalError

from models import Delivery, DropCampaign, Event, FetchRun, RewardCampaign, Source
from models.vault import Vault
from notifiers.outbox import LEASE_SECONDS
from notifiers.subscriptions import add_subscription
from notifiers.targets import add_target
from pipeline.database.connecting import connect
from pipeline.demo.clock import exact_stamp, snapshot_time
from pipeline.demo.live import Query
from pipeline.demo.services import Answer, DemoServices
from pipeline.embedded import healthy
from pipeline.embedded.layout import Layout, Servers
from pipeline.ingest.fetching import LEASE
from pipeline.programs.programs import settled
from pipeline.runtime.celery_app import hint, make_app
from pipeline.runtime.runtime import KEY_FILE, utc_now
from pipeline.runtime.settings import UNPREFIXED
from tests.processes import children, command_line, descendants, kill, living
from tests.waiting import processes_with, wait_for

UP = [sys.executable, "-c", "from pipeline.cli import main; main()", "up"]
# The words by which the processes of the servers are told apart.
SERVERS = {"postgres": "bin/postgres -D", "valkey": "valkey-server", "host": "pipeline.embedded.host"}
# A worker by the name that it goes by at the broker, another program by the last word of its module's name.
_WORKER = re.compile(r"--hostname (\w+)@")
_CONCURRENCY = re.compile(r"--concurrency (\d+)")
_NO_PROCESSES = re.compile(r"--pool (threads|solo)")
_PROGRAM = re.compile(r"-m ([\w.]+)")
CHILD = "'s child"
# How many processes a worker has, unless a setting says otherwise.
PROCESSES = 2
SOURCES = {"twitch.drops", "twitch.rewards", "kick.drops", "chzzk.drops"}
# A living fetch takes a fraction of a second, a living delivery too, and some seconds where much else runs; whoever
# holds either for longer was killed. (Their leases are minutes, which no short form can wait for.)
SURELY_DEAD_AFTER = timedelta(seconds=15)

Found = TypeVar("Found")


class History(DemoServices):
    """The demo's services, whose mirror gives the time of its snapshot also where it answers that nothing changed.

    Otherwise a 304 would be taken for a word of today, and the hours of the history after it for older ones.
    """

    def answer(self, path: str, query: Query, step: int) -> Answer:
        """Return the server's answer to a GET of this path at this step."""
        answer = super().answer(path, query, step)
        if "/mirror/v2/" not in path:
            return answer
        return answer._replace(headers={"X-Last-Updated-At": exact_stamp(snapshot_time(self.now, step))})


class Fact(NamedTuple):
    """An event, by what it says: the same in every installation that saw the same history."""

    kind: str
    service: str | None
    campaign: str | None
    key: str


class UpAsProcess:
    """`lootwire up` on a data directory, its programs to be killed, and what it has come to know."""

    def __init__(
        self,
        data_dir: Path,
        port: int,
        environment: Mapping[str, str],
        *,
        servers: Servers | None = None,
        within: Sequence[str] = (),
    ) -> None:
        """Prepare `up` with an environment; nothing runs yet.

        `servers` are those that it was given by that environment, as this process reaches them; without, it has its
        own. `within` is a command that runs another one elsewhere, such as in a network namespace.
        """
        self.data_dir = data_dir
        self.layout = Layout.of(data_dir)
        self.log = data_dir.parent / f"{data_dir.name}.log"
        self._given = servers
        self._within = within
        inherited = {name: value for name, value in os.environ.items() if not _is_setting(name)}
        ours = {"LOOTWIRE_DATA_DIR": str(data_dir), "LOOTWIRE_HTTP_PORT": str(port), "LOOTWIRE_RECEIVER_PORT": "0"}
        self._env = inherited | ours | dict(environment)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start `up`; returns when it says that it runs."""
        before = self._times_started()
        with self.log.open("ab") as log:
            command = [*self._within, *UP]
            self._process = subprocess.Popen(
                command, env=self._env, cwd=self.data_dir.parent, stdout=log, stderr=log, start_new_session=True
            )
        # It says so when its page answers, for which its programs must have been loaded.
        wait_for(lambda: self._times_started() > before, 300)

    def _times_started(self) -> int:
        return self.log.read_text().count("Lootwire runs.") if self.log.exists() else 0

    @property
    def pid(self) -> int:
        """The process id of `up`."""
        assert self._process is not None
        return self._process.pid

    def kill(self) -> int:
        """Kill `up` itself; returns its exit code."""
        assert self._process is not None
        self._process.kill()
        return self._process.wait()

    def processes(self) -> dict[int, str]:
        """Everything that runs for this installation, with command lines: its programs, their pools, its servers."""
        return descendants(self.pid) | self._servers()

    def _servers(self) -> dict[int, str]:
        named = processes_with(self.data_dir)
        return named | {pid: line for server in named for pid, line in descendants(server).items()}

    def parts(self) -> dict[str, int]:
        """Everything that can be killed, by its name: programs, a child of each worker, the embedded servers."""
        programs = self._programs()
        named = {_name(line): pid for pid, line in programs.items() if _name(line)}
        named |= {
            f"{_name(line)}{CHILD}": child
            for pid, line in programs.items()
            if _WORKER.search(line)
            for child in list(children(pid))[:1]
        }
        # The servers name their data directory, which the programs get by the environment.
        servers = processes_with(self.data_dir)
        return named | {part: pid for pid, line in servers.items() for part, words in SERVERS.items() if words in line}

    def find(self, part: str) -> int | None:
        """The process of a part, or None where it is just not there."""
        return self.parts().get(part)

    def senders(self) -> set[str]:
        """The parts that may die between a target's OK and our commit: whoever sends, and the database."""
        lines = [line for line in self._programs().values() if re.search(r"--queues \S*\bsend\b", line)]
        return {"postgres", "host", "up"} | {name for line in lines for name in (_name(line), _name(line) + CHILD)}

    def _programs(self) -> dict[int, str]:
        """The programs that run, without what they have started: children of the supervisor's nursery."""
        return {pid: line for nursery in children(self.pid) for pid, line in children(nursery).items()}

    def strike(self, part: str) -> int | None:
        """Kill a part; returns its process id, or None where it is just not there."""
        pid = self.find(part)
        if pid is not None:
            kill(pid)
        return pid

    def servers(self) -> Servers | None:
        """The servers, or None while there are none."""
        sockets = self.layout.published_sockets()
        return self._given or (sockets.servers() if sockets else None)

    @staticmethod
    def _has_pool(worker: int, killed: int) -> bool:
        """Whether a worker has all processes of its pool, and not the one that was killed; some have no such pool."""
        line, pool = command_line(worker), children(worker)
        size = _CONCURRENCY.search(line)
        wanted = 0 if _NO_PROCESSES.search(line) or size is None else int(size[1])
        return bool(line) and killed not in pool and len(pool) >= wanted

    def ask(self, question: Callable[[Engine], Found]) -> Found | None:
        """Ask the database; None while it is away. Does not count as a user of the servers."""
        servers = self.servers()
        if servers is None:
            return None
        engine = connect(servers.database_url)
        try:
            return question(engine)
        except DBAPIError as error:
            if not isinstance(error, OperationalError):
                raise
            return None
        finally:
            engine.dispose()

    def tell(self, url: str) -> None:
        """Notify an address of everything from now on."""

        def add(engine: Engine) -> None:
            with engine.begin() as connection:
                add_target(connection, Vault.open(self.data_dir / KEY_FILE), "hook", url, utc_now(), private=True)
                add_subscription(connection, "hook", utc_now())

        self.ask(add)

    def is_back(self, part: str, killed: int, since: datetime) -> bool:
        """Whether a part has another process than the one that was killed, at work, and fetches go on."""
        query = select(func.count()).where(FetchRun.started_at > since)

        def look(engine: Engine) -> int | None:
            with engine.begin() as connection:
                bury_the_dead(connection)
                return connection.scalar(query)

        return self.lives(part, killed) and bool(self.ask(look))

    def lives(self, part: str, killed: int) -> bool:
        """Whether a part has another process than the one that was killed, and that works or answers."""
        parts = self.parts()
        if part.endswith(CHILD):
            return self._has_pool(parts.get(part.removesuffix(CHILD), 0), killed)
        if parts.get(part) in {None, killed}:
            return False
        if _WORKER.search(command_line(parts[part])) and not self._has_pool(parts[part], killed):
            return False
        return part not in SERVERS or healthy(self.data_dir)

    def has_seen(self, moment: datetime) -> bool:
        """Whether every source has stored, or refused, its service's answer of this moment."""
        return bool(self.ask(lambda engine: self._has_seen(engine, moment)))

    @staticmethod
    def _has_seen(engine: Engine, moment: datetime) -> bool:
        with engine.begin() as connection:
            bury_the_dead(connection)
            query = (
                select(Source.name)
                .join(FetchRun, FetchRun.source_id == Source.id)
                .where(FetchRun.snapshot_at >= moment.replace(microsecond=0))
            )
            return set(connection.scalars(query)) >= SOURCES

    def nudge(self) -> bool:
        """Hand the workers what is due, once no killed process holds it any more; returns whether that is so."""
        servers = self.servers()
        if servers is None or self.ask(_still_held) is not False:
            return False
        with make_app(servers.redis_url) as app:
            for task in ("send.due", "publish.marked"):
                hint(app, task, expires=60)
        return True

    def is_settled(self) -> bool:
        """Whether everything is sent and published."""

        def look(engine: Engine) -> bool:
            with engine.begin() as connection:
                bury_the_dead(connection)
                # A message that failed for the moment may be sent again now.
                hasten(connection)
            return settled(engine)

        return bool(self.ask(look))


def tracebacks(installation: UpAsProcess) -> list[str]:
    """Return the lines of an installation's log that begin a traceback, which a known trouble never prints."""
    lines = installation.log.read_text(errors="replace").splitlines()
    return [line for line in lines if "Traceback" in line]


def _is_setting(variable: str) -> bool:
    return variable.startswith("LOOTWIRE_") or variable.removesuffix("_FILE").lower() in UNPREFIXED


def _name(line: str) -> str:
    """Return how a program is called, by its command line; nothing where it is none."""
    if match := _WORKER.search(line):
        return match[1]
    return match[1].rpartition(".")[2] if (match := _PROGRAM.search(line)) else ""


def hurried(services: DemoServices) -> dict[str, str]:
    """Return the environment of an installation that asks the services of the demo each second."""
    return {
        **services.addresses,
        "LOOTWIRE_DROPS_MIRROR_POLL_SECONDS": "1",
        "LOOTWIRE_KICK_POLL_SECONDS": "1",
        "LOOTWIRE_CHZZK_POLL_SECONDS": "1",
        "LOOTWIRE_CHZZK_FIRST_NUMBER": "1204",
        "LOOTWIRE_EMBEDDED_LINGER": "0.2",
    }


@contextmanager
def running(installation: UpAsProcess) -> Iterator[UpAsProcess]:
    """Start an installation, and kill it at the end, whatever it has started."""
    installation.start()
    try:
        yield installation
    finally:
        before = set(installation.processes())
        installation.kill()
        wait_for(lambda: not living(before))


def _still_held(engine: Engine) -> bool:
    with engine.begin() as connection:
        bury_the_dead(connection)
        held = (Delivery.state == "sending") & (Delivery.lease_until > utc_now())
        return bool(connection.scalar(select(func.count()).where(held)))


def hasten(connection: Connection) -> None:
    """Let the pauses pass after which a delivery that failed is tried again; what is due is left to those who send."""
    pausing = (Delivery.state == "pending") & (Delivery.next_attempt_at > utc_now())
    connection.execute(update(Delivery).where(pausing).values(next_attempt_at=utc_now()))


def bury_the_dead(connection: Connection) -> None:
    """Let the time pass after which a killed process no longer holds its rows."""
    fetching = Source.lease_until < utc_now() + LEASE - SURELY_DEAD_AFTER
    connection.execute(update(Source).where(fetching).values(lease_until=None))
    sending = (Delivery.state == "sending") & (
        Delivery.lease_until < utc_now() + timedelta(seconds=LEASE_SECONDS) - SURELY_DEAD_AFTER
    )
    connection.execute(update(Delivery).where(sending).values(lease_until=utc_now()))


def facts(engine: Engine) -> list[Fact]:
    """Every event of campaigns and rewards, in the order of their keys."""
    query = (
        select(
            Event.kind,
            Event.service,
            func.coalesce(DropCampaign.external_id, RewardCampaign.external_id),
            Event.event_key,
        )
        .outerjoin(DropCampaign, DropCampaign.id == Event.campaign_id)
        .outerjoin(RewardCampaign, RewardCampaign.id == Event.reward_campaign_id)
        .where(~Event.kind.startswith("source."))
        .order_by(Event.event_key)
    )
    with engine.connect() as connection:
        return [Fact(*row) for row in connection.execute(query)]
