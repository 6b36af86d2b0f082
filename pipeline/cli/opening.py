"""What a command opens first and closes at its end; each function imports what it needs when it is called."""

from contextlib import ExitStack
from typing import TYPE_CHECKING

from pipeline.runtime.output import errors

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from pipeline.runtime.runtime import Runtime
    from pipeline.runtime.settings import Settings

# The exit code of a command that is done but for what it had to set aside.
SET_ASIDE = 3
# PostgreSQL logs a line for each session that a command leaves open.
at_the_end = ExitStack()


def open_command() -> "Runtime":
    """Return the runtime for a command; warns of variables that look like settings and are none."""
    from pipeline.runtime.runtime import open_runtime

    runtime = open_runtime(_load_settings())
    at_the_end.callback(runtime.engine.dispose)
    return runtime


def open_database() -> "tuple[Settings, Engine]":
    """Return the settings and the database without the rest of the runtime, for a command that must be quick."""
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
        warning = f"lootwire: {name} is not a setting of this version; `lootwire doctor` lists them all"
        errors.print(warning, markup=False, soft_wrap=True)
    configure_logging("WARNING")
    return loaded.settings
