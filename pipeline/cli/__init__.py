"""The command `lootwire`, which imports what it runs only where a Ctrl-C is expected already."""

import gc
import signal
import sys

INTERRUPTED = 128 + signal.SIGINT


def main() -> None:
    """Run a command line and exit with its code."""
    # Imports make many objects that stay and no garbage; a collection each 700 costs a tenth of a short command.
    gc.set_threshold(50_000, 20, 20)
    try:
        from models.privacy import keep_files_private

        keep_files_private()
        code = run(sys.argv[1:])
    except KeyboardInterrupt:
        sys.stderr.write("stopped\n")
        code = INTERRUPTED
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """Run a command line and return its exit code."""
    from pipeline.cli import line

    return line.run(arguments)
