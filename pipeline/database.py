"""Connect to PostgreSQL, and bring its tables up to date."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, text

from models.errors import LootwireError
from models.locks import hashed_key, lock_transaction

MIGRATIONS = Path(__file__).resolve().parent.parent / "models" / "migrations"
# Two processes that start at once must not migrate at once.
_MIGRATION = hashed_key("lootwire migrations")


def connect(url: str) -> Engine:
    """Return an engine for a `postgresql+psycopg://` URL; sessions speak UTC and give up on stuck statements."""
    return create_engine(
        url,
        pool_pre_ping=True,
        pool_size=3,
        max_overflow=5,
        hide_parameters=True,
        connect_args={
            "connect_timeout": 10,
            "application_name": "lootwire",
            "options": "-c timezone=UTC -c idle_in_transaction_session_timeout=300000",
        },
    )


def migrate(engine: Engine) -> None:
    """Bring the tables to the version of this program, in one transaction; safe to call from several processes.

    Raises `LootwireError` when the database is of a newer version than the program.
    """
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


def alembic_config(connection: Connection) -> Config:
    """Return Alembic's configuration on an open connection."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _current_revision(connection: Connection) -> str | None:
    if connection.scalar(text("SELECT to_regclass('alembic_version')")) is None:
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision
