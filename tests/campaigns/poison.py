"""Tasks that kill the process that runs them, or never end, stand among many that do no harm.

A third of them crash (SIGSEGV), a third are killed for their memory, a third loop for ever and ignore the request to
end. Each may run four times at most, all others are done, and the log names each that was given up.
"""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pipeline.embedded import Servers
from pipeline.runtime.celery_app import make_app
from tests.campaigns.campaign import Claim, Size, Trial, at_least, at_most, figure, none_of
from tests.campaigns.own_servers import own_databases
from tests.campaigns.world import came_true
from tests.paths import CHECKOUT
from tests.waiting import wait_for

KINDS = ("crash", "greed", "loop")
MOST_RUNS = 4
SETTINGS = ("LOOTWIRE_", "DATABASE_URL", "REDIS_URL")


@dataclass(frozen=True, kw_only=True)
class Poison(Size):
    """So many tasks, of which so many are poison, and times in seconds that are the product's own where they are None.

    `limits` are those after which a task is to end, and is ended; `pause` is that after which a process counts as lost,
    and its task runs again.
    """

    tasks: int
    poison: int
    limits: tuple[float, float] | None
    pause: float | None
    patience: float


FULL = Poison(tasks=1000, poison=30, limits=None, pause=None, patience=3000)
SHORT = Poison(
    shortens=("a task's time limits (3 and 4 s)", "the pauses before a lost task runs again (1 s)"),
    tasks=100,
    poison=3,
    limits=(3, 4),
    pause=1,
    patience=300,
)


def run(size: Poison, trial: Trial) -> Sequence[Claim]:
    """Send all tasks, wait until each is done or given up, and count how often each ran."""
    journal, log = trial.folder / "journal", trial.folder / "log"
    journal.touch()
    poisonous = trial.dice.sample(range(size.tasks), size.poison)
    kinds = {number: KINDS[place % len(KINDS)] for place, number in enumerate(poisonous)}
    harmless = size.tasks - size.poison
    with own_databases() as own, own.databases.new() as engine:
        database_url = engine.url.render_as_string(hide_password=False)
        servers = Servers(database_url, own.servers.redis_url)
        with _worker(size, servers, trial.folder, journal, log) as worker:
            _send(servers, size, kinds)
            came_true(lambda: _is_over(servers, journal, log, kinds, harmless), size.patience)
            # Whoever survives it all works on.
            _send(servers, size, {}, extra=[size.tasks])
            went_on = came_true(lambda: _runs(journal)["harmless", size.tasks], 300)
            survived = worker.poll() is None
    runs = _runs(journal)
    times = {(kind, number): runs[kind, number] for number, kind in kinds.items()}
    done = sum(runs["harmless", number] > 0 for number in range(size.tasks) if number not in kinds)
    named = _told(log)
    return [
        at_least("harmless tasks done", done, harmless),
        at_most("runs of a poisonous task, at most", max(times.values()), MOST_RUNS),
        none_of("poisonous tasks that never ran", [key for key, count in times.items() if not count]),
        none_of("kinds of poison of which the log does not tell", [kind for kind in KINDS if not named[kind]]),
        none_of("worker that is gone, or does nothing", [] if survived and went_on else ["the worker"]),
        figure("runs of all poisonous tasks", sum(times.values())),
        *(figure(f"lines of the log about a {kind}", named[kind]) for kind in KINDS),
    ]


@contextmanager
def _worker(
    size: Poison, servers: Servers, folder: Path, journal: Path, log: Path
) -> "Iterator[subprocess.Popen[bytes]]":
    environment = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)} | {
        "DATABASE_URL": servers.database_url,
        "REDIS_URL": servers.redis_url,
        "LOOTWIRE_DATA_DIR": str(folder / "data"),
        "LOOTWIRE_LOG_FORMAT": "json",
        "POISON_JOURNAL": str(journal),
    }
    if size.pause is not None:
        environment["POISON_PAUSE"] = str(size.pause)
    options = ["--queues", "fetch", "--concurrency", "2", "--hostname", "worker@%h"]
    command = [sys.executable, "-m", "tests.campaigns._poisoned_worker", *options]
    with (
        log.open("wb") as file,
        _started(command, environment, file) as it,
    ):
        try:
            wait_for(lambda: "is ready" in log.read_text() or it.poll() is not None, 120)
            assert it.poll() is None, log.read_text()
            yield it
        finally:
            it.send_signal(signal.SIGTERM)
            it.wait(60)


def _started(command: Sequence[str], environment: Mapping[str, str], output: IO[bytes]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(command, cwd=CHECKOUT, env=environment, stdout=output, stderr=output)


def _send(servers: Servers, size: Poison, kinds: Mapping[int, str], extra: Sequence[int] = ()) -> None:
    limits = dict(zip(("soft_time_limit", "time_limit"), size.limits, strict=True)) if size.limits else {}
    with make_app(servers.redis_url) as app:
        for number in extra or range(size.tasks):
            app.send_task(f"fetch.{kinds.get(number, 'harmless')}", args=[number], ignore_result=True, **limits)


def _is_over(servers: Servers, journal: Path, log: Path, kinds: Mapping[int, str], harmless: int) -> bool:
    """Whether the harmless are done and each poisonous task has been given up, as the log says."""
    runs, named = _runs(journal), _told(log)
    wanted = Counter(kinds.values())
    done = sum(1 for kind, _ in runs if kind == "harmless")
    return done >= harmless and all(named[kind] >= count for kind, count in wanted.items())


def _runs(journal: Path) -> Counter[tuple[str, int]]:
    """Return how often each task ran, by its kind and number."""
    lines = (line.split() for line in journal.read_text().splitlines())
    return Counter((kind, int(number)) for kind, number in lines)


def _told(log: Path) -> Counter[str]:
    """Return how many lines of the log say that a task was given up, by its kind."""
    named: Counter[str] = Counter()
    for line in log.read_text(errors="replace").splitlines():
        said = json.loads(line) if line.startswith("{") else {"level": "", "message": line}
        named.update(kind for kind in KINDS if said["level"] in {"error", "critical"} and f"fetch.{kind}" in line)
    return named
