"""What Lootwire costs when nothing happens: memory and CPU of `lootwire up`, and the CPU of two short commands.

    uv run --frozen python bench/idle.py [SECONDS] [--tiny]

`lootwire up` runs in a fresh data directory with its own PostgreSQL and Valkey. Its sources ask a stand-in of this
program, which lists nothing, so the database stays empty; no application at Twitch is set, and nothing is followed.
Once all processes have stood still for a while, three minutes after the start, the proportional memory of each (PSS,
/proc/PID/smaps_rollup) and its CPU (user and system, /proc/PID/stat, with that of children that ended) are read over a
window. Then `lootwire --help` and `lootwire status` run three times each, and the least CPU of each counts. `--tiny`
proves in seconds that all of it works; its figures say nothing.

Goals: 400 MB in all, 0.8 s of CPU a minute; 0.4 s for `--help`, 0.8 s for `status`.
"""

import os
import re
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

# A script's own folder comes first on the path, where bench/feeds.py would hide the package of that name.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.databases import Servers
from bench.results import Result, bounded
from bench.running import Size, run_alone

COMMAND = (sys.executable, "-c", "from pipeline.cli import main; main()")
TICKS = os.sysconf("SC_CLK_TCK")
MOST_MB, MOST_CPU_A_MINUTE = 400, 0.8
COMMANDS = {"--help": 0.4, "status": 0.8}
# Starting is over when a short window costs less than this share of one CPU.
SETTLED_SHARE = 0.1
PATIENCE = 180.0


@dataclass(frozen=True)
class Window(Size):
    """How long is measured; after which time, and how long nothing may have gone on before; how often commands run.

    The supervisor asks after the workers for the first time when they have had three minutes.
    """

    seconds: float
    after: float = 185.0
    settled: float = 10.0
    times: int = 3


FULL, TINY = Window(120.0), Window(2.0, after=0.0, settled=1.0, times=1)


class Process(NamedTuple):
    name: str
    pss_mb: float
    cpu_seconds: float


class NothingListed(BaseHTTPRequestHandler):
    """Answers for the mirror and Kick with an empty list, and for CHZZK that there is no such campaign."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = b'{"data": []}' if "chzzk" not in self.path else b'{"code": 200, "content": null}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Last-Updated-At", str(int(time.time() * 1000)))
        self.send_header("X-Refresh-Interval-Seconds", "60")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@contextmanager
def services() -> Iterator[str]:
    """Run the stand-in for the length of a `with` block; gives its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), NothingListed)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def environment(folder: Path, address: str) -> dict[str, str]:
    """Return this process's variables with an installation of the bench's own, and without anybody else's."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LOOTWIRE_", "TWITCH_"))}
    # Without compiled modules each command would compile all that it imports, which no installation does.
    for name in ("DATABASE_URL", "REDIS_URL", "PYTHONDONTWRITEBYTECODE"):
        kept.pop(name, None)
    web, receiver = free_ports()
    return kept | {
        "LOOTWIRE_DATA_DIR": str(folder / "data"),
        "LOOTWIRE_HTTP_PORT": str(web),
        "LOOTWIRE_RECEIVER_PORT": str(receiver),
        "LOOTWIRE_DROPS_MIRROR_URL": f"{address}/mirror",
        "LOOTWIRE_KICK_URL": f"{address}/kick",
        "LOOTWIRE_CHZZK_URL": f"{address}/chzzk",
    }


def free_ports() -> tuple[int, int]:
    with socket.socket() as web, socket.socket() as receiver:
        for probe in (web, receiver):
            probe.bind(("127.0.0.1", 0))
        return web.getsockname()[1], receiver.getsockname()[1]


@contextmanager
def up(folder: Path, env: Mapping[str, str]) -> Iterator["subprocess.Popen[bytes]"]:
    """Run `lootwire up` for the length of a `with` block; at its end all that it started has gone."""
    with (folder / "up.log").open("wb") as log:
        process = subprocess.Popen(
            [*COMMAND, "up"], env=env, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            start_new_session=True,
        )  # fmt: skip
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            # The servers' host is nobody's child, and stops two seconds after its last user.
            deadline = time.monotonic() + 60
            while (left := family(process.pid, folder)) and time.monotonic() < deadline:
                time.sleep(0.1)
            for pid in left:
                os.kill(pid, signal.SIGKILL)


def family(pid: int, folder: Path) -> dict[int, str]:
    """Return the processes that `up` started, and those of its servers: process id and what it is."""
    parents: dict[int, int] = {}
    names: dict[int, str] = {}
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if (fields := stat_fields(place)) is None:
                continue
            parents[int(place.name)] = int(fields[1])
            names[int(place.name)] = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue  # it has ended meanwhile
    # The host forks away from its parent, and names its data directory.
    members = {pid} | {member for member, line in names.items() if str(folder) in line}
    while grown := {child for child, parent in parents.items() if parent in members} - members:
        members |= grown
    return {member: short_name(names[member], member == pid) for member in members if names.get(member)}


def short_name(command_line: str, is_up: bool) -> str:
    if is_up:
        return "supervisor"
    if kind := re.match(r"postgres: (?:lootwire: )?(.*)", command_line):
        return "postgres: connection" if "[local]" in kind[1] or "(" in kind[1] else f"postgres: {kind[1].strip()}"
    if named := re.search(r"--hostname (\w+)@", command_line):
        return f"worker `{named[1]}`"
    if module := re.search(r"-m ([\w.]+)", command_line):
        return module[1]
    return Path(command_line.split(maxsplit=1)[0]).name


def stat_fields(place: Path) -> list[str] | None:
    """Return the fields of /proc/PID/stat that follow the name; None for a process that has ended."""
    fields = (place / "stat").read_text().rpartition(")")[2].split()
    return None if fields[0] == "Z" else fields


def measure(pid: int, folder: Path) -> dict[int, Process]:
    """Read what each process of the family holds now, and has used so far."""
    measured = {}
    for member, name in family(pid, folder).items():
        place = Path(f"/proc/{member}")
        try:
            pss = re.search(r"^Pss:\s+(\d+) kB", (place / "smaps_rollup").read_text(), re.MULTILINE)
            fields = stat_fields(place)
        except OSError:
            continue  # it has ended meanwhile
        if pss is not None and fields is not None:
            # utime, stime, and those of children that it has waited for
            measured[member] = Process(name, int(pss[1]) / 1024, sum(map(int, fields[11:15])) / TICKS)
    return measured


def cpu(measured: Mapping[int, Process]) -> float:
    return sum(process.cpu_seconds for process in measured.values())


def wait_until_settled(process: "subprocess.Popen[bytes]", folder: Path, size: Window) -> None:
    """Wait until the start has been paid for."""
    deadline = time.monotonic() + PATIENCE
    log = folder / "up.log"
    while b"Lootwire runs" not in log.read_bytes():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"lootwire up did not start:\n{log.read_text(errors='replace')}")
        time.sleep(0.1)
    time.sleep(size.after)
    deadline += size.after
    before = cpu(measure(process.pid, folder))
    while time.monotonic() < deadline:
        time.sleep(size.settled)
        now = cpu(measure(process.pid, folder))
        if now - before < size.settled * SETTLED_SHARE:
            return
        before = now


def print_processes(before: Mapping[int, Process], after: Mapping[int, Process], seconds: float) -> tuple[float, float]:
    """Print what each kind of process costs; returns the sums, in MB and in seconds of CPU a minute."""
    rows: defaultdict[str, list[float]] = defaultdict(lambda: [0, 0.0, 0.0])
    for pid, process in after.items():
        used = process.cpu_seconds - before[pid].cpu_seconds if pid in before else process.cpu_seconds
        for index, value in enumerate((1, process.pss_mb, used * 60 / seconds)):
            rows[process.name][index] += value
    print(f"{'process':<40}{'count':>6}{'PSS MB':>9}{'CPU s/min':>11}")
    for name, (count, pss, used) in sorted(rows.items(), key=lambda row: -row[1][1]):
        print(f"{name:<40}{count:>6}{pss:>9.1f}{used:>11.2f}")
    count, pss, used = (sum(row[index] for row in rows.values()) for index in range(3))
    print(f"{'in all':<40}{count:>6}{pss:>9.1f}{used:>11.2f}")
    return pss, used


def cost_of(command: str, env: Mapping[str, str], folder: Path, times: int) -> float:
    """Return the least CPU that a command took, in seconds."""
    costs = []
    for _ in range(times):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([*COMMAND, command], env=env, cwd=folder, stdout=subprocess.DEVNULL, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        costs.append(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
    return min(costs)


def run(_servers: Servers, size: Window) -> list[Result]:
    """Measure an installation of its own; its servers are part of what is measured."""
    # So that the `finally`s run on SIGTERM as they do on Ctrl-C.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory(prefix="lootwire-idle-") as name, services() as address:
        folder = Path(name)
        env = environment(folder, address)
        with up(folder, env) as process:
            wait_until_settled(process, folder, size)
            before = measure(process.pid, folder)
            time.sleep(size.seconds)
            pss, used = print_processes(before, measure(process.pid, folder), size.seconds)
            costs = {command: cost_of(command, env, folder, size.times) for command in COMMANDS}
            log = (folder / "up.log").read_text(errors="replace")
    if troubles := [line for line in log.splitlines() if '"level": "' in line and '"level": "info"' not in line]:
        print(f"\nnot idle, it had something to say:\n{troubles[0]}")
    return [
        bounded("idle: memory in all", pss, "MB", most=MOST_MB),
        bounded("idle: CPU a minute", used, "s", most=MOST_CPU_A_MINUTE),
        *(bounded(f"lootwire {command}", costs[command], "s of CPU", most=most) for command, most in COMMANDS.items()),
    ]


if __name__ == "__main__":
    sys.exit(run_alone(run, FULL, TINY))
