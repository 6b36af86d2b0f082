"""The servers that a program works with: running, and with a database that is up to date."""

import os

from models.errors import LootwireError
from pipeline import embedded
from pipeline.database.connecting import connect, migrate
from pipeline.embedded import Servers
from pipeline.runtime.settings import Settings

BROKER_PATIENCE = 10.0


def open_servers(settings: Settings) -> Servers:
    """Return where the servers are; embedded ones are started if need be, and migrations are applied."""
    make_private(settings)
    database_url = settings.database_url.get_secret_value() if settings.database_url else None
    redis_url = settings.redis_url.get_secret_value() if settings.redis_url else None
    if database_url is None or redis_url is None:
        servers = embedded.ensure(settings.data_dir)
        database_url, redis_url = database_url or servers.database_url, redis_url or servers.redis_url
    engine = connect(database_url)
    try:
        migrate(engine)
    finally:
        # A pool must not be open when a worker forks: its children would talk through one connection.
        engine.dispose()
    return Servers(database_url=database_url, redis_url=redis_url)


def check_broker(redis_url: str) -> None:
    """Raise `LootwireError` if Redis does not answer: without it programs would start, and do nothing."""
    import redis

    try:
        with redis.Redis.from_url(redis_url, socket_timeout=BROKER_PATIENCE) as client:
            client.ping()
    except redis.RedisError as error:
        raise LootwireError(f"the broker does not answer: {error}; see REDIS_URL") from error


def make_private(settings: Settings) -> None:
    """Create the data directory, readable by its owner alone; raises `LootwireError` where it cannot be written."""
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise LootwireError(
            f"cannot create {settings.data_dir}: {error.strerror}. "
            "Set LOOTWIRE_DATA_DIR to a folder that this user may write"
        ) from error
    if not os.access(settings.data_dir, os.W_OK | os.X_OK):
        raise LootwireError(
            f"cannot write to {settings.data_dir}. Set LOOTWIRE_DATA_DIR to a folder that this user may write"
        )
