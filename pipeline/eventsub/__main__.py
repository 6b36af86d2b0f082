"""`python -m pipeline.eventsub`: bring Twitch's messages in until the supervisor ends it."""

import logging
import signal
import sys
import threading

from pipeline.eventsub.overseer import Hung
from pipeline.eventsub.program import Program
from pipeline.http import Client
from pipeline.logs import configure_logging
from pipeline.problems import explain
from pipeline.runtime import open_runtime
from pipeline.settings import load_settings
from pipeline.supervisor import watch_parent

logger = logging.getLogger(__name__)


def main() -> int:
    """Run until SIGTERM or Ctrl-C; returns 1 where something keeps it from running."""
    watch_parent()
    ends = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ends.set())
    try:
        settings = load_settings().settings
        configure_logging(settings.log_level)
        runtime = open_runtime(settings)
        with Client() as client:
            runtime.needed_helix(client)
        with Program(runtime) as program:
            program.run_until(ends)
    except Hung as hung:
        logger.error("%s; starting anew", hung)  # noqa: TRY400 - its trace is that of the thread that found it
        return 1
    except Exception as error:
        if (told := explain(error)) is None:
            raise
        sys.stderr.write(f"lootwire: {told}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
