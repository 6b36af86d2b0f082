"""Whose a key is, looked up for each request: one statement, which the driver prepares.

`keys` makes, lists and revokes them. A look-up is never kept in memory: who revokes a key has it revoked at once.
"""

from contextlib import closing
from datetime import datetime
from typing import Any, cast

import msgspec
import psycopg
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from pipeline.people.keys import is_same
from pipeline.people.records import SCOPES_OF, Role, Scope
from pipeline.people.store.keys import USED_TO

# Each request is one of these, so it goes to the driver itself: SQLAlchemy would take as long as PostgreSQL does.
_FIND = """
SELECT api_keys.id, api_keys.digest, api_keys.scopes, api_keys.person_id, people.role, api_keys.last_used_at,
       plans.gauges ->> 'requests_per_minute'
FROM api_keys
JOIN people ON people.id = api_keys.person_id
LEFT JOIN plans ON plans.id = people.plan_id
WHERE api_keys.public_id = %s
  AND api_keys.revoked_at IS NULL
  AND people.disabled_at IS NULL
  AND (api_keys.expires_at IS NULL OR api_keys.expires_at > %s)
"""


class HolderOfKey(msgspec.Struct, frozen=True, kw_only=True):
    """The person that a valid key is of, and what the key may do: never more than the person's role.

    `is_unused` says that the key's last use is to be noted, `requests_per_minute` what the person's plan gives.
    """

    key_id: int
    public_id: str
    person_id: int
    role: Role
    scopes: frozenset[Scope]
    is_unused: bool
    requests_per_minute: int | None


def find_holder_of(connection: Connection, public_id: str, key: str, now: datetime) -> HolderOfKey | None:
    """Return whose a key is; None for one that is forged, expired or revoked, or whose person is disabled."""
    row = _fetch(connection, public_id, now)
    if row is None or not is_same(bytes(row[1]), key):
        return None
    key_id, _, scopes, person_id, role, last_used_at, per_minute = row
    return HolderOfKey(
        key_id=key_id,
        public_id=public_id,
        person_id=person_id,
        role=role,
        scopes=SCOPES_OF[cast("Role", role)].intersection(scopes),
        is_unused=last_used_at is None or not now - USED_TO < last_used_at <= now,
        requests_per_minute=None if per_minute is None else int(per_minute),
    )


def _fetch(connection: Connection, public_id: str, now: datetime) -> Any:
    driver = connection.connection
    try:
        with closing(driver.cursor()) as cursor:
            cursor.execute(_FIND, (public_id, now))
            return cursor.fetchone()
    except psycopg.Error as error:
        # As SQLAlchemy does with all that it executes.
        is_lost = connection.dialect.is_disconnect(error, driver.driver_connection, None)  # type: ignore[arg-type]
        if is_lost:
            connection.invalidate(error)
        raise DBAPIError.instance(
            _FIND, None, error, psycopg.Error, hide_parameters=True, connection_invalidated=is_lost
        ) from error
