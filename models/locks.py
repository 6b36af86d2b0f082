"""Advisory locks of PostgreSQL: of a transaction, or of a session, which needs no open transaction.

All of them end with the process that holds them, whatever kills it. A key is a number; keys stay what they are, since
the worker of an older version may still run beside.
"""

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

from sqlalchemy import BigInteger, ColumnElement, Connection, Engine, Select, cast, column, func, literal, select, table
from sqlalchemy.dialects.postgresql import OID
from sqlalchemy.exc import SQLAlchemyError

LockKey = int | ColumnElement[int]
AT_ONCE = timedelta(0)
_LOOK_EVERY = 0.1
_LOCKS = table(
    "pg_locks", *map(column, ("locktype", "database", "classid", "objid", "objsubid", "granted")), schema="pg_catalog"
)
_DATABASES = table("pg_database", column("oid"), column("datname"), schema="pg_catalog")


def lock_key(name: str) -> LockKey:
    """Return the number of a lock."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), signed=True)


def hashed_key(name: str) -> LockKey:
    """Return the number of one of the oldest locks, which PostgreSQL itself makes of the name; use `lock_key` else."""
    return func.hashtext(name)


def row_key(name: str, row_id: int) -> int:
    """Return the number of the lock on one row of many, which `rows_locked` finds by the same name."""
    return _class_of(name) << 32 | row_id


def rows_locked(name: str) -> Select[int]:
    """Select the ids of the rows whose `row_key` some session holds, without taking any."""
    here = select(_DATABASES.c.oid).where(_DATABASES.c.datname == func.current_database()).scalar_subquery()
    return select(cast(_LOCKS.c.objid, BigInteger)).where(
        _LOCKS.c.locktype == "advisory",
        _LOCKS.c.database == here,
        # PostgreSQL shows the upper and the lower half of a number; 1 says that it was one and not two.
        _LOCKS.c.classid == cast(_class_of(name), OID),
        _LOCKS.c.objsubid == 1,
        _LOCKS.c.granted,
    )


def lock_transaction(connection: Connection, key: LockKey) -> None:
    """Wait for a lock and hold it to the end of the transaction."""
    connection.execute(select(func.pg_advisory_xact_lock(key)))


def taken_if_free(key: LockKey) -> ColumnElement[bool]:
    """Return a condition that holds where no other session has a lock; this transaction has it until it ends."""
    return func.pg_try_advisory_xact_lock(key)


def is_held(connection: Connection, key: LockKey) -> bool:
    """Return whether another session holds a lock; where none does, this transaction has it until it ends."""
    return not connection.scalar(select(taken_if_free(key)))


def try_session(connection: Connection, *keys: LockKey, **settings: str) -> bool:
    """Take locks for the session, if all are free, and change its settings.

    The caller ends the session, also where some were free and some were not, or holds it for good.
    """
    changed = [func.set_config(name, value, literal(value=False)) for name, value in settings.items()]
    row = connection.execute(select(*map(func.pg_try_advisory_lock, keys), *changed)).one()
    return all(row[: len(keys)])


def share_session(connection: Connection, key: LockKey) -> None:
    """Wait for a lock and hold it with other sessions that share it, to the end of this one."""
    connection.execute(select(func.pg_advisory_lock_shared(key)))


def end_session(connection: Connection) -> None:
    """Give back all locks of a session at once, and end it; only for a connection that no pool hands out again."""
    with suppress(SQLAlchemyError):
        # PostgreSQL takes a moment to end a session, and another may want its locks within that.
        connection.execute(select(func.pg_advisory_unlock_all()))
    with suppress(SQLAlchemyError):
        connection.close()


@contextmanager
def hold(engine: Engine, key: LockKey, patience: timedelta | None = None) -> Iterator[bool]:
    """Hold a lock of a session for the length of a `with` block; gives whether it was free within the patience.

    Without a patience it waits as long as it takes.
    """
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        held: bool | None = None
        try:
            held = _take(connection, key, patience)
            yield held
        finally:
            if held is not False:
                _give_back(connection, key)


def _take(connection: Connection, key: LockKey, patience: timedelta | None) -> bool:
    if patience is None:
        connection.execute(select(func.pg_advisory_lock(key)))
        return True
    until = time.monotonic() + patience.total_seconds()
    while not try_session(connection, key):
        if time.monotonic() >= until:
            return False
        time.sleep(_LOOK_EVERY)
    return True


def _give_back(connection: Connection, key: LockKey) -> None:
    given_back = False
    try:
        with suppress(SQLAlchemyError):
            connection.execute(select(func.pg_advisory_unlock(key)))
            given_back = True
    finally:
        if not given_back:
            # The session ends, and the lock with it: the pool must not hand out a connection that still holds one.
            connection.invalidate()


def _class_of(name: str) -> int:
    digest = hashlib.blake2b(name.encode(), digest_size=4).digest()
    return int.from_bytes(digest) & 0x7FFF_FFFF
