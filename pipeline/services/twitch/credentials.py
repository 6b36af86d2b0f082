"""Keep sign-ins. Only ciphertext passes here; a change of a sign-in also turns its sources on and off."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Table, func, select, update
from sqlalchemy.dialects.postgresql import insert

from models import Credential, Source

CREDENTIALS: Table = Credential.__table__  # type: ignore[assignment]
# The sources that fetch in the name of a sign-in. The first one fails for all when the sign-in dies.
SOURCES: Mapping[str, tuple[str, ...]] = {
    "twitch": ("twitch.dashboard", "twitch.dashboard_rewards", "twitch.inventory")
}


class StoredCredential(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the table."""

    service: str
    login: str
    user_id: str
    client_id: str
    tokens_encrypted: bytes
    device_id: str
    session_id: str
    signed_in_at: datetime
    expires_at: datetime | None
    validated_at: datetime
    dead_at: datetime | None
    dead_reason: str | None


_LOADED = [CREDENTIALS.c[name] for name in StoredCredential.__struct_fields__]


def load_credential(connection: Connection, service: str) -> StoredCredential | None:
    """Return the sign-in at a service; None where there is none."""
    row = connection.execute(select(*_LOADED).where(CREDENTIALS.c.service == service)).mappings().one_or_none()
    return None if row is None else StoredCredential(**row)


def is_signed_in(connection: Connection, service: str) -> bool:
    """Whether there is a sign-in, even if the sign-in has died since."""
    return connection.scalar(select(CREDENTIALS.c.service).where(CREDENTIALS.c.service == service)) is not None


def save_credential(connection: Connection, credential: StoredCredential) -> None:
    """Keep a sign-in in place of the one before, and make its sources due; the device stays the one it was."""
    row = msgspec.structs.asdict(credential)
    kept = {"service", "device_id", "session_id"}
    statement = insert(CREDENTIALS).values(row)
    values = {name: statement.excluded[name] for name in row if name not in kept}
    connection.execute(statement.on_conflict_do_update(index_elements=[CREDENTIALS.c.service], set_=values))
    _set_sources(connection, SOURCES[credential.service], enabled=True, next_due_at=credential.signed_in_at)


def replace_tokens(
    connection: Connection, before: StoredCredential, tokens_encrypted: bytes, *, expires_at: datetime | None
) -> bool:
    """Keep refreshed tokens; False where another process was faster."""
    return _update(connection, before, tokens_encrypted=tokens_encrypted, expires_at=expires_at)


def record_validated(
    connection: Connection, credential: StoredCredential, *, at: datetime, expires_at: datetime | None
) -> bool:
    """Record that the service confirmed the tokens."""
    return _update(connection, credential, validated_at=at, expires_at=expires_at)


def mark_dead(connection: Connection, credential: StoredCredential, reason: str, *, at: datetime) -> bool:
    """Record that the service refuses the tokens; False where newer tokens have taken their place, or it was known.

    The first of the sources becomes due, and notifies by failing; the others are off until the next sign-in.
    """
    if not _update(connection, credential, dead_at=at, dead_reason=reason):
        return False
    speaker, *others = SOURCES[credential.service]
    _set_sources(connection, [speaker], next_due_at=at)
    _set_sources(connection, others, enabled=False)
    return True


def remove_credential(connection: Connection, service: str) -> bool:
    """Forget a sign-in and turn its sources off; False where there was none."""
    _set_sources(connection, SOURCES[service], enabled=False)
    return connection.execute(CREDENTIALS.delete().where(CREDENTIALS.c.service == service)).rowcount > 0


def _update(connection: Connection, credential: StoredCredential, **values: Any) -> bool:
    """Update the row if it still holds these tokens, alive."""
    same = update(CREDENTIALS).where(
        CREDENTIALS.c.service == credential.service,
        CREDENTIALS.c.tokens_encrypted == credential.tokens_encrypted,
        CREDENTIALS.c.dead_at.is_(None),
    )
    return connection.execute(same.values(values)).rowcount > 0


def _set_sources(connection: Connection, names: Any, **values: Any) -> None:
    connection.execute(update(Source).values(values).where(Source.name == func.any(list(names))))
