"""Whose a key is, looked up for each request: one statement, prepared by the driver, with the settings of what follows.

`keys` makes, lists and revokes them. A look-up is never kept in memory: who revokes a key has it revoked at once.
"""

from collections.abc import Mapping
from datetime import datetime

import msgspec
from sqlalchemy import Connection

from pipeline.people.keys import is_same
from pipeline.people.records import SCOPES_OF, Role, Scope
from pipeline.people.store.keys import USED_TO

# As text: SQLAlchemy would take as long to build it as PostgreSQL does to answer it.
_FIND = """
SELECT api_keys.id, api_keys.digest, api_keys.scopes, api_keys.person_id, people.role,
       api_keys.last_used_at IS NULL OR api_keys.last_used_at NOT BETWEEN %(at)s - %(used_to)s AND %(at)s,
       plans.gauges ->> 'requests_per_minute',
       set_config('statement_timeout', %(statement_timeout)s, true),
       set_config('transaction_read_only', %(transaction_read_only)s, true)
FROM api_keys
JOIN people ON people.id = api_keys.person_id
LEFT JOIN plans ON plans.id = people.plan_id
WHERE api_keys.public_id = %(public_id)s
  AND api_keys.revoked_at IS NULL
  AND people.disabled_at IS NULL
  AND (api_keys.expires_at IS NULL OR api_keys.expires_at > %(at)s)
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


def find_holder_of(
    connection: Connection, public_id: str, key: str, now: datetime, *, statement_ms: int, reads: bool
) -> HolderOfKey | None:
    """Return whose a key is; None for one that is forged, expired or revoked, or whose person is disabled.

    From here on the transaction gives up statements that take longer, and where it only `reads` can change nothing.
    """
    parameters: Mapping[str, object] = {
        "public_id": public_id,
        "at": now,
        "used_to": USED_TO,
        "statement_timeout": str(statement_ms),
        "transaction_read_only": "on" if reads else "off",
    }
    row = connection.exec_driver_sql(_FIND, parameters).one_or_none()
    if row is None or not is_same(bytes(row[1]), key):
        return None
    role: Role = row[4]
    return HolderOfKey(
        key_id=row[0],
        public_id=public_id,
        person_id=row[3],
        role=role,
        scopes=SCOPES_OF[role].intersection(row[2]),
        is_unused=row[5],
        requests_per_minute=None if row[6] is None else int(row[6]),
    )
