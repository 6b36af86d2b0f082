"""`python -m pipeline.channels.eventsub`: bring Twitch's messages in until the supervisor ends it."""

import signal
import sys
import threading

from pipeline.channels.eventsub.program import Program
from pipeline.fetch.http import Client
from pipeline.runtime.logs import configure_logging
from pipeline.runtime.problems import run_program
from pipeline.runtime.runtime import open_runtime
from pipeline.runtime.settings import load_settings


def main() -> None:
    """Run until SIGTERM or Ctrl-C; raises `Hung` where a thread of it does not go on."""
    ends = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ends.set())
    settings = load_settings().settings
    configure_logging(settings.log_level, form=settings.log_format)
    runtime = open_runtime(settings)
    with Client() as client:
        runtime.needed_helix(client)
    with Program(runtime) as program:
        program.run_until(ends)


if __name__ == "__main__":
    sys.exit(run_program(main))
