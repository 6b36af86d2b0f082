"""What `lootwire up` becomes once everything is checked, started and migrated: the supervisor and nothing else.

`become_supervisor` replaces its own process by `python -m pipeline.runtime.foreground FD`; its plan is in the open file
of that number, since addresses with passwords must not stand in a command line. A supervisor lives for months, so it
imports neither the pipeline nor a library of the programs that it runs.
"""

import dataclasses
import json
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.printable import printable
from models.privacy import keep_files_private
from pipeline.runtime.page import Announcement
from pipeline.runtime.supervisor import AlreadyRunning, Program, Supervisor, say_on_stderr, stop_signals
from pipeline.runtime.watchdog import Watchdog

FAILED, INTERRUPTED = 1, 128 + signal.SIGINT


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What to run, and what to say when its page can be opened."""

    programs: list[Program]
    preload: str
    data_dir: Path
    database_url: str
    is_embedded: bool
    listens: bool
    greeting: str
    page_host: str
    page_port: int

    def encode(self) -> bytes:
        """Return the plan as JSON."""
        return json.dumps(dataclasses.asdict(self), default=str).encode()

    @classmethod
    def decode(cls, text: bytes) -> "Plan":
        """Read a plan."""
        fields: Mapping[str, Any] = json.loads(text)
        programs = [Program(**program) for program in fields["programs"]]
        return cls(**{**fields, "programs": programs, "data_dir": Path(fields["data_dir"])})


def supervise(plan: Plan) -> int:
    """Run a plan until a signal; returns the exit code."""
    watchdog = Watchdog(
        plan.database_url, embedded_in=plan.data_dir if plan.is_embedded else None, listens=plan.listens
    )
    running = Supervisor(
        plan.programs,
        data_dir=plan.data_dir,
        env=os.environ,
        each_second=lambda: watchdog.look(running.restart, running.run),
        preload=plan.preload,
    )
    announcement = Announcement(plan.page_host, plan.page_port, plan.greeting, say_on_stderr)
    with running:
        return running.run_until_signal(announcement.look)


def main() -> int:
    """Read the plan and run it."""
    keep_files_private()
    with os.fdopen(int(sys.argv[1]), "rb") as file:
        plan = Plan.decode(file.read())
    try:
        # Blocked by the process that this one was, so that none was lost on the way.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, stop_signals())
        return supervise(plan)
    except AlreadyRunning as error:
        sys.stderr.write(f"lootwire: {printable(str(error))}\n")
        return FAILED
    except KeyboardInterrupt:
        sys.stderr.write("stopped\n")
        return INTERRUPTED
    except BrokenPipeError:
        # The reader (`head`, say) has seen enough; Python must not complain at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


if __name__ == "__main__":
    sys.exit(main())
