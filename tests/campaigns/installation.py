"""A whole installation with embedded servers: `lootwire up` as a process, its database as seen from outside."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple, TypeVar

from sqlalchemy import Connection, Engine, func, select, update
from sqlalchemy.exc import DBAPIError, OperationalError

from models import Delivery, DropCampaign, Event, FetchRun, RewardCampaign, Source
from models.vault import Vault
from notifiers.outbox import LEASE_SECONDS
from notifiers.targets import add_subscription, add_target
from pipeline.database.connecting import connect
from pipeline.demo.clock import exact_stamp, snapshot_time
from pipeline.demo.live import Query
from pipeline.demo.services import Answer, DemoServices
from pipeline.embedded.layout import Layout
from pipeline.ingest.fetching import LEASE
from pipeline.programs.programs import settled
from pipeline.runtime.celery_app import hint, make_app
from pipeline.runtime.runtime import KEY_FILE, utc_now
from tests.processes import children, descendants, kill
from tests.waiting import processes_with, wait_for

UP = [sys.executable, "-c", "from pipeline.cli import main; main()", "up"]
# The words by which the parts' processes are told apart.
COMMANDS = {
    "worker": "--queues tick",
    "fetcher": "--queues fetch",
    "sender": "--queues send",
    "publisher": "--queues publish",
    "beat": "tasks.beat",
    "postgres": "bin/postgres -D",
    "valkey": "valkey-server",
    "host": "pipeline.embedded.host",
}
SOURCES = {"twitch.drops", "twitch.rewards", "kick.drops", "chzzk.drops"}
# A living fetch on this machine takes a fraction of a second, a living delivery too; whoever holds either for longer
# was killed. (Their leases are minutes, which no test can wait for.)
SURELY_DEAD_AFTER = timedelta(seconds=5)

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

    def __init__(self, data_dir: Path, services: DemoServices, port: int, env: Mapping[str, str] | None = None) -> None:
        self.data_dir = data_dir
        self.layout = Layout.of(data_dir)
        self.log = data_dir.parent / "up.log"
        self._env = {name: value for name, value in os.environ.items() if not name.startswith("LOOTWIRE_")}
        self._env |= {
            "LOOTWIRE_DATA_DIR": str(data_dir),
            "LOOTWIRE_HTTP_PORT": str(port),
            "LOOTWIRE_RECEIVER_PORT": "0",
            **services.addresses,
            "LOOTWIRE_DROPS_MIRROR_POLL_SECONDS": "1",
            "LOOTWIRE_KICK_POLL_SECONDS": "1",
            "LOOTWIRE_CHZZK_POLL_SECONDS": "1",
            "LOOTWIRE_CHZZK_FIRST_NUMBER": "1204",
            "LOOTWIRE_EMBEDDED_LINGER": "0.2",
            **(env or {}),
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start `up`; returns when it says that it runs."""
        before = self._times_started()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                UP, env=self._env, cwd=self.data_dir.parent, stdout=log, stderr=log, start_new_session=True
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

    def find(self, part: str) -> int | None:
        """The process of a part, or None where it is just not there."""
        if part == "pool child":
            fetcher = self.find("fetcher")
            return next(iter(children(fetcher)), None) if fetcher else None
        # The servers name their data directory, which the programs get by the environment.
        running = processes_with(self.data_dir) if part in {"postgres", "valkey", "host"} else self._programs()
        return next((pid for pid, line in running.items() if COMMANDS[part] in line), None)

    def _programs(self) -> dict[int, str]:
        """The programs that run, without what they have started: children of the supervisor's nursery."""
        return {pid: line for nursery in children(self.pid) for pid, line in children(nursery).items()}

    def strike(self, part: str) -> int | None:
        """Kill a part; returns its process id, or None where it is just not there."""
        pid = self.find(part)
        if pid is not None:
            kill(pid)
        return pid

    def ask(self, question: Callable[[Engine], Found]) -> Found | None:
        """Ask the database; None while it is away. Does not count as a user of the servers."""
        sockets = self.layout.published_sockets()
        if sockets is None:
            return None
        engine = connect(sockets.servers().database_url)
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
                add_target(connection, Vault.open(self.data_dir / KEY_FILE), "hook", url, utc_now())
                add_subscription(connection, "hook", utc_now())

        self.ask(add)

    def is_back(self, part: str, killed: int, since: datetime) -> bool:
        """Whether a part has another process than the one that was killed, at work, and fetches go on."""
        query = select(func.count()).where(FetchRun.started_at > since)

        def look(engine: Engine) -> int | None:
            with engine.begin() as connection:
                bury_the_dead(connection)
                return connection.scalar(query)

        pid = self.find(part)
        if pid in {None, killed} or (part == "fetcher" and not children(pid or 0)):
            return False
        return bool(self.ask(look))

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
        sockets = self.layout.published_sockets()
        if sockets is None or self.ask(_still_held) is not False:
            return False
        with make_app(sockets.servers().redis_url) as app:
            for task in ("send.due", "publish.marked"):
                hint(app, task, expires=60)
        return True

    def is_settled(self) -> bool:
        """Whether everything is sent and published."""

        def look(engine: Engine) -> bool:
            with engine.begin() as connection:
                bury_the_dead(connection)
                # A message that failed for the moment may be sent again now.
                waiting = update(Delivery).where(Delivery.state == "pending").values(next_attempt_at=utc_now())
                connection.execute(waiting)
            return settled(engine)

        return bool(self.ask(look))


def _still_held(engine: Engine) -> bool:
    with engine.begin() as connection:
        bury_the_dead(connection)
        held = (Delivery.state == "sending") & (Delivery.lease_until > utc_now())
        return bool(connection.scalar(select(func.count()).where(held)))


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
