"""The command `lootwire`, which imports what it runs only where a Ctrl-C is expected already."""

import gc
import os
import signal
import sys
from types import FrameType

INTERRUPTED = 128 + signal.SIGINT


def main() -> None:
    """Run a command line and exit with its code."""
    # Imports make many objects that stay and no garbage; a collection each 700 costs a tenth of a short command.
    gc.set_threshold(50_000, 20, 20)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end_at_once)
    try:
        from models.privacy import keep_files_private
        from models.threads import give_threads_room

        keep_files_private()
        give_threads_room()
        code = run(sys.argv[1:])
    except KeyboardInterrupt:
        sys.stderr.write("stopped\n")
        code = INTERRUPTED
    sys.exit(code)


def _end_at_once(_number: int, _frame: FrameType | None) -> None:
    """End while modules are imported: a KeyboardInterrupt may meet a callback of the imports, which swallows it."""
    os.write(sys.stderr.fileno(), b"stopped\n")
    os._exit(INTERRUPTED)


def interrupt_as_usual() -> None:
    """Have a Ctrl-C raise KeyboardInterrupt again, now that the command's modules are imported."""
    if signal.getsignal(signal.SIGINT) is _end_at_once:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def run(arguments: list[str]) -> int:
    """Run a command line and return its exit code."""
    from pipeline.cli import line

    return line.run(arguments)
