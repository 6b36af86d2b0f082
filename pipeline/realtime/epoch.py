"""The epoch of cursors: it ends where transactions are counted anew, as after a restore, and all cursors with it."""

import base64
import secrets

from sqlalchemy import Connection, text

from models.locks import hashed_key, lock_transaction

_TURN = hashed_key("lootwire epoch of cursors")
_LOOK = text(
    """
    SELECT state.epoch,
           state.cluster = here.cluster
           AND coalesce((SELECT max(xact) FROM events), '0'::xid8) < pg_snapshot_xmax(pg_current_snapshot()) AS is_same
    FROM (SELECT pg_control_system.system_identifier || '/' || pg_database.oid AS cluster
          FROM pg_control_system(), pg_database WHERE datname = current_database()) AS here
    LEFT JOIN realtime_state AS state ON true
    """
)
_BEGIN = text(
    """
    INSERT INTO realtime_state (id, epoch, cluster)
    SELECT 1, :epoch, pg_control_system.system_identifier || '/' || pg_database.oid
    FROM pg_control_system(), pg_database WHERE datname = current_database()
    ON CONFLICT (id) DO UPDATE SET epoch = excluded.epoch, cluster = excluded.cluster, published = NULL
    """
)
_FORGET = text("UPDATE events SET xact = '0' WHERE xact <> '0'")


def epoch_of(connection: Connection) -> str:
    """Return the epoch, and begin another one where the database was restored or moved since the last look.

    Belongs in a transaction, at the start of whatever gives or takes cursors.
    """
    epoch, is_same = connection.execute(_LOOK).one()
    if epoch is not None and is_same:
        return str(epoch)
    lock_transaction(connection, _TURN)
    epoch, is_same = connection.execute(_LOOK).one()
    return str(epoch) if epoch is not None and is_same else begin_epoch(connection)


def begin_epoch(connection: Connection) -> str:
    """Begin another epoch: what is there is older than any cursor, and every reader begins anew."""
    epoch = base64.b32encode(secrets.token_bytes(5)).decode().lower()
    connection.execute(_FORGET)
    connection.execute(_BEGIN, {"epoch": epoch})
    return epoch
