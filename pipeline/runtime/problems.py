"""Tell a person what went wrong and what to do; what is a fault of ours stays an error."""

import sys
from collections.abc import Callable

from models.errors import LootwireError
from models.memory import give_back_memory
from models.printable import printable
from models.privacy import keep_files_private
from models.threads import give_threads_room
from pipeline.runtime.supervisor import watch_parent

# https://www.postgresql.org/docs/current/errcodes-appendix.html
_DISK_FULL = "53100"


def explain(error: Exception) -> str | None:
    """Return what a person should read about an error; None if only a developer can do something about it."""
    if isinstance(error, LootwireError):
        return str(error)
    if isinstance(error, OSError):
        return f"{error.filename} cannot be used: {error.strerror}" if error.filename else None
    # Imported here: a program that never speaks to the database should not pay for it.
    from sqlalchemy.exc import DBAPIError, OperationalError

    # A database that is away, restarting or out of room; not one that does not understand us.
    if isinstance(error, OperationalError) or (isinstance(error, DBAPIError) and error.connection_invalidated):
        lines = str(error.orig).strip().splitlines() or [type(error.orig).__name__]
        is_full = getattr(error.orig, "sqlstate", None) == _DISK_FULL
        return f"the database {'has no room left' if is_full else 'does not answer'}: {lines[0]}"
    return None


def run_program(program: Callable[[], None]) -> int:
    """Run a program of the supervisor's to its end and return its exit code; a problem is one line on its stderr."""
    keep_files_private()
    give_threads_room()
    give_back_memory()
    watch_parent()
    try:
        program()
    except KeyboardInterrupt:
        return 0
    except Exception as error:
        if (message := explain(error)) is None:
            raise
        sys.stderr.write(f"lootwire: {printable(message)}\n")
        return 1
    return 0
