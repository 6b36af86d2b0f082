"""What a command opens first and closes at its end; each function imports what it needs when it is called."""

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from models.errors import UsageError
from pipeline.runtime.output import errors

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from pipeline.runtime.runtime import Runtime
    from pipeline.runtime.settings import Settings

# Exit codes that other programs rely on, beside 0 for done and 1 for failed: the command line is to blame (2), or all
# is done but for what had to be set aside (3). docs/operating.md has the rule.
MISUSED, SET_ASIDE = 2, 3
# PostgreSQL counts no further; a number beyond it is the number of nothing.
GREATEST = 2**63 - 1
# PostgreSQL logs a line for each session that a command leaves open.
at_the_end = ExitStack()


def open_command() -> "Runtime":
    """Return the runtime for a command; warns of variables that look like settings and are none."""
    from pipeline.runtime.runtime import open_runtime

    runtime = open_runtime(_load_settings(), forks=False)
    at_the_end.callback(runtime.engine.dispose)
    return runtime


def open_database() -> "tuple[Settings, Engine]":
    """Return the settings and the database without the rest of the runtime, for a command that must be quick."""
    from pipeline.database.connecting import connect
    from pipeline.runtime.servers import bring_up_to_date, locate_servers

    settings = _load_settings()
    engine = connect(locate_servers(settings).database_url)
    bring_up_to_date(engine, forks=False)
    at_the_end.callback(engine.dispose)
    return settings, engine


def read_named(file: str, most: int) -> bytes:
    """Return up to `most` bytes of the file that a person named, `-` for standard input.

    Raises `UsageError` where there is no such file.
    """
    if file == "-":
        return sys.stdin.buffer.read(most)
    try:
        with Path(file).open("rb") as opened:
            return opened.read(most)
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from error


def _load_settings() -> "Settings":
    from pipeline.runtime.logs import configure_logging
    from pipeline.runtime.settings import load_settings

    loaded = load_settings()
    for name in loaded.unknown:
        warning = f"lootwire: {name} is not a setting of this version; `lootwire doctor` lists them all"
        errors.print(warning, markup=False, soft_wrap=True)
    configure_logging("WARNING", form=loaded.settings.log_format)
    return loaded.settings
