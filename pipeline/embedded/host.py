"""The process that owns the embedded servers of one data directory: `python -m pipeline.embedded.host DATA_DIR`.

It starts both servers, publishes where they are, and stops them when their last user has gone or either of them
died. `ensure` starts it; there is no need to do so by hand.
"""

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from models.privacy import keep_files_private
from pipeline.embedded import broker, children, database
from pipeline.embedded.layout import EmbeddedError, Layout, open_lock, try_lock, wait_until

# How long the servers wait for a new user when the last one has gone, so that a command a second costs no start.
LINGER_SECONDS = float(os.environ.get("LOOTWIRE_EMBEDDED_LINGER", "2"))
TURN_SECONDS = 1.0
CHORES_SECONDS = 60
LEFTOVER_SECONDS = 60
STOP_SECONDS = 60


class Host:
    """Both servers of one data directory, from their start to their end."""

    def __init__(self, layout: Layout, servers_lock: int) -> None:
        self.layout = layout
        self.sockets = layout.sockets()
        self.servers_lock = servers_lock
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.signals: list[int] = []
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda received, _frame: self.signals.append(received))

    def start(self) -> None:
        """Start both servers, after any that an earlier host left behind have gone."""
        self.layout.published.unlink(missing_ok=True)
        self._outwait_leftovers()
        self._keep_logs_short()
        self.processes["Valkey"] = broker.start(self.layout, self.sockets, self.servers_lock)
        self.processes["PostgreSQL"] = database.start(self.layout, self.sockets, self.servers_lock)
        self.layout.publish(self.sockets)

    def serve(self) -> str:
        """Watch over the servers until there is a reason to stop, and return the reason.

        When no user is left the users' lock stays taken, so a process that comes now waits until the servers have gone.
        """
        users = open_lock(self.layout.users_lock)
        last_used = last_chores = time.monotonic()
        while (reason := self._trouble()) is None:
            time.sleep(TURN_SECONDS)
            now = time.monotonic()
            if not try_lock(users, fcntl.LOCK_EX):
                last_used = now
            elif now - last_used > LINGER_SECONDS:
                return "nobody uses the servers"
            else:
                fcntl.flock(users, fcntl.LOCK_UN)
            if now - last_chores > CHORES_SECONDS:
                last_chores = now
                self._keep_logs_short()
                self._keep_sockets_young()
        return reason

    def stop(self) -> None:
        """Stop both servers cleanly, or not so cleanly if they take too long."""
        with contextlib.suppress(OSError):
            self.layout.published.unlink(missing_ok=True)
        # SIGINT is PostgreSQL's fast shutdown; its SIGTERM would wait for clients.
        ways = {"PostgreSQL": signal.SIGINT, "Valkey": signal.SIGTERM}
        for name, process in self.processes.items():
            process.send_signal(ways[name])
        for process in self.processes.values():
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
        if self.processes:  # the folder was ours, and may be in a temporary directory that only we tidy up
            shutil.rmtree(self.sockets.folder, ignore_errors=True)

    def _outwait_leftovers(self) -> None:
        if try_lock(self.servers_lock, fcntl.LOCK_EX):
            return
        # Linux signals them when their host dies; elsewhere they go on without it.
        database.stop_leftover(self.layout)
        broker.stop_leftover(self.sockets)
        if not wait_until(lambda: try_lock(self.servers_lock, fcntl.LOCK_EX), LEFTOVER_SECONDS):
            raise EmbeddedError(
                f"A server that was started earlier in {self.layout.data_dir} does not stop. End the processes "
                f"that have {self.layout.servers_lock} open, then start again."
            )

    def _trouble(self) -> str | None:
        if self.signals:
            return f"got {signal.Signals(self.signals[0]).name}"
        for name, process in self.processes.items():
            if process.poll() is not None:
                return f"{name} ended with code {process.returncode}"
        if not self.layout.published.exists() or not self.sockets.exist():
            return "the data directory or a socket was removed"
        return None

    def _keep_logs_short(self) -> None:
        for log in (self.layout.host_log, self.layout.postgres_log, self.layout.valkey_log):
            children.keep_short(log)

    def _keep_sockets_young(self) -> None:
        # They may be in a temporary directory that is swept of old files.
        for path in (self.sockets.folder, self.sockets.postgres, self.sockets.valkey):
            with contextlib.suppress(OSError):
                os.utime(path)


def own(layout: Layout) -> None:
    """Be the host of a data directory until its servers are no longer needed; return at once if it has one."""
    host_lock = open_lock(layout.host_lock)
    # A process that looks whether there is a host holds this lock for an instant, so one refusal proves nothing.
    if not wait_until(lambda: try_lock(host_lock, fcntl.LOCK_EX), 0.3):
        return
    host = Host(layout, open_lock(layout.servers_lock))
    try:
        host.start()
        _log_to(layout.host_log)
        _say(f"serving {layout.data_dir}")
        _say(f"stopping: {host.serve()}")
    finally:
        host.stop()


def _log_to(log: Path) -> None:
    # This also closes the pipe to the process that started us, by which it knows that the start is over.
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(descriptor, sys.stderr.fileno())
    os.close(descriptor)


def _say(text: str) -> None:
    # A full disk, or a reader that has gone, must not stop a host.
    with contextlib.suppress(OSError):
        os.write(sys.stderr.fileno(), f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} host {os.getpid()} {text}\n".encode())


def main() -> int:
    """Serve the data directory named on the command line; a start that fails says why on standard error."""
    keep_files_private()
    if os.fork() > 0:
        os._exit(0)
    layout = Layout.of(Path(sys.argv[1]))
    try:
        own(layout)
    except EmbeddedError as error:
        sys.exit(str(error))
    except OSError as error:
        sys.exit(str(layout.unusable(error)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
