"""What a command begins with and what is done at its end; nothing heavy is imported before it is asked for."""

from contextlib import ExitStack
from typing import TYPE_CHECKING

from pipeline.runtime.output import errors

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from pipeline.runtime.runtime import Runtime
    from pipeline.runtime.settings import Settings

# The exit code of a command that is done but for what it had to set aside.
SET_ASIDE = 3
# Sessions that a command does not end are noted by PostgreSQL, a line each.
at_the_end = ExitStack()


def open_command() -> "Runtime":
    """Return the runtime for a command, with a word on variables that look like settings and are none."""
    from pipeline.runtime.runtime import open_runtime

    runtime = open_runtime(_load_settings())
    at_the_end.callback(runtime.engine.dispose)
    return runtime


def open_database() -> "tuple[Settings, Engine]":
    """Return the settings and the database, for a command that needs no more of the runtime and should be quick."""
    from pipeline.database.connecting import connect
    from pipeline.runtime.servers import open_servers

    settings = _load_settings()
    engine = connect(open_servers(settings).database_url)
    at_the_end.callback(engine.dispose)
    return settings, engine


def _load_settings() -> "Settings":
    from pipeline.runtime.logs import configure_logging
    from pipeline.runtime.settings import load_settings

    loaded = load_settings()
    for name in loaded.unknown:
        told = f"lootwire: {name} is not a setting of this version; `lootwire doctor` lists them all"
        errors.print(told, markup=False, soft_wrap=True)
    configure_logging("WARNING")
    return loaded.settings
