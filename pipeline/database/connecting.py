"""Connect to PostgreSQL, and bring its tables up to date."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, create_engine, text

from models.errors import LootwireError
from models.locks import hashed_key, lock_transaction

if TYPE_CHECKING:
    # It takes half a second to load, and is needed after an update of the program only.
    from alembic.config import Config

MIGRATIONS = Path(__file__).resolve().parents[2] / "models" / "migrations"
# Two processes that start at once must not migrate at once.
_MIGRATION = hashed_key("lootwire migrations")


# In a network that drops what is sent, TCP tries again for a quarter of an hour, less and less often: after a minute of
# silence workers were back 48 to 75 s after it healed. Both ends give up after 15 seconds. Unix sockets have no need.
_PATIENCE_MS = 15_000
_TCP = {
    "tcp_user_timeout": _PATIENCE_MS,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 2,
}
# The same of the server, whose session holds its locks until then.
_TCP_OF_SERVER = (
    f"-c tcp_user_timeout={_PATIENCE_MS} -c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 "
    "-c tcp_keepalives_count=2"
)


def connect(url: str, *, kept: int = 3) -> Engine:
    """Return an engine for a `postgresql+psycopg://` URL; sessions speak UTC and give up on stuck statements.

    So many connections are `kept` open while nobody uses them, of at most eight.
    """
    return create_engine(
        url,
        pool_pre_ping=True,
        pool_size=kept,
        max_overflow=8 - kept,
        # No column is of that type, and to look for it would be a question more at each program's start.
        use_native_hstore=False,
        hide_parameters=True,
        connect_args=_arguments(),
    )


def connect_reading(url: str, *, kept: int = 3, statement_ms: int) -> Engine:
    """Return an engine whose sessions can only read, and give up statements that take longer than so many milliseconds.

    Each statement is a transaction of its own, which is what READ COMMITTED shows too: so a question is one round trip,
    without one to begin, one to end and one to look whether the connection lives. Who asks has to ask once more where
    PostgreSQL was restarted (`DBAPIError.connection_invalidated`).
    """
    arguments = _arguments()
    arguments["options"] += f" -c default_transaction_read_only=on -c statement_timeout={statement_ms}"
    return create_engine(
        url,
        isolation_level="AUTOCOMMIT",
        pool_size=kept,
        max_overflow=8 - kept,
        use_native_hstore=False,
        hide_parameters=True,
        connect_args=arguments,
    )


def _arguments() -> dict[str, Any]:
    return {
        "connect_timeout": 10,
        "application_name": "lootwire",
        "options": f"-c timezone=UTC -c idle_in_transaction_session_timeout=300000 {_TCP_OF_SERVER}",
        **_TCP,
    }


def migrate(engine: Engine) -> None:
    """Bring the tables to the version of this program, in one transaction; safe to call from several processes.

    Raises `LootwireError` when the database is of a newer version than the program.
    """
    with engine.connect() as connection:
        if _current_revision(connection) == newest_revision():
            return
    _upgrade(engine)


def newest_revision() -> str:
    """Return this program's version of the tables: the number that the last migration's file name begins with."""
    return max(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def _upgrade(engine: Engine) -> None:
    from alembic import command
    from alembic.script import ScriptDirectory

    with engine.begin() as connection:
        lock_transaction(connection, _MIGRATION)
        config = alembic_config(connection)
        current = _current_revision(connection)
        if current is not None and current not in {
            r.revision for r in ScriptDirectory(str(MIGRATIONS)).walk_revisions()
        }:
            raise LootwireError(
                f"the database is of a newer version ({current}) than this program: update the program, "
                "or give it another database (LOOTWIRE_DATA_DIR or DATABASE_URL)"
            )
        command.upgrade(config, "head")


def alembic_config(connection: Connection) -> "Config":
    """Return Alembic's configuration on an open connection."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _current_revision(connection: Connection) -> str | None:
    if connection.scalar(text("SELECT to_regclass('alembic_version')")) is None:
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision
