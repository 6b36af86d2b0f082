"""The servers that a program works with: running, and with a database that is up to date."""

from contextlib import ExitStack

from sqlalchemy import Engine

from models.errors import LootwireError
from pipeline import embedded
from pipeline.database.connecting import connect, migrate
from pipeline.embedded import Servers
from pipeline.runtime.folders import make_private
from pipeline.runtime.settings import Settings

BROKER_PATIENCE = 10.0


def open_servers(settings: Settings) -> Servers:
    """Return where the servers are; embedded ones are started if need be, and migrations are applied."""
    servers = locate_servers(settings)
    bring_up_to_date(connect(servers.database_url))
    return servers


def locate_servers(settings: Settings) -> Servers:
    """Return where the servers are; embedded ones are started if need be."""
    make_private(settings)
    database_url = settings.database_url.get_secret_value() if settings.database_url else None
    redis_url = settings.redis_url.get_secret_value() if settings.redis_url else None
    if database_url is None or redis_url is None:
        servers = embedded.ensure(settings.data_dir)
        database_url, redis_url = database_url or servers.database_url, redis_url or servers.redis_url
    return Servers(database_url=database_url, redis_url=redis_url)


def bring_up_to_date(engine: Engine, *, forks: bool = True) -> None:
    """Apply migrations; afterwards the engine of a program that `forks` has no open connection."""
    with ExitStack() as stack:
        # A pool must not be open when a worker forks: its children would talk through one connection.
        stack.callback(engine.dispose)
        migrate(engine)
        if not forks:
            stack.pop_all()


def check_broker(redis_url: str) -> None:
    """Raise `LootwireError` if Redis does not answer: without it programs would start, and do nothing."""
    import redis

    try:
        with redis.Redis.from_url(redis_url, socket_timeout=BROKER_PATIENCE) as client:
            client.ping()
    except redis.RedisError as error:
        raise LootwireError(f"the broker does not answer: {error}; see REDIS_URL") from error
