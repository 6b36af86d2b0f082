"""Who may call the API: invitations, keys, the audit log, and what repeated requests are answered.

Secrets stand here as their SHA-256 alone.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId


class Invitation(Base):
    """An address that gives a person their first key, once, until it expires."""

    __tablename__ = "invitations"
    __table_args__ = (UniqueConstraint("digest"), Index(None, "person_id"))

    id: Mapped[BigId]
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("people.id", ondelete="CASCADE"))
    digest: Mapped[bytes]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class ApiKey(Base):
    """A key of a person: what it may do, and until when. `public_id` is the part of it that may be shown.

    `last_used_at` is true to the hour. One that was rotated expires soon after.
    """

    __tablename__ = "api_keys"
    __table_args__ = (UniqueConstraint("public_id"), Index(None, "person_id"))

    id: Mapped[BigId]
    public_id: Mapped[str]
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("people.id", ondelete="CASCADE"))
    name: Mapped[str]
    digest: Mapped[bytes]
    scopes: Mapped[list[str]]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class AuditEntry(Base):
    """A change that a key made; append-only, which a trigger sees to.

    It has no foreign keys, so that it outlives the key. `path` names what was changed, never what it was changed to.
    """

    __tablename__ = "audit_entries"
    __table_args__ = (Index(None, "person_id", "id"),)

    id: Mapped[BigId]
    at: Mapped[datetime]
    person_id: Mapped[int] = mapped_column(BigInteger)
    key: Mapped[str]
    method: Mapped[str]
    path: Mapped[str]
    operation: Mapped[str]
    status: Mapped[int]


class IdempotentAnswer(Base):
    """What a POST with an Idempotency-Key was answered, for a day: the same request again is answered the same.

    `digest` is that of the request; with another one the key is a mistake. `status` is null while it is under way.
    """

    __tablename__ = "idempotent_answers"
    __table_args__ = (Index(None, "created_at"),)

    key_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("api_keys.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[bytes]
    created_at: Mapped[datetime]
    status: Mapped[int | None]
    headers: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    body: Mapped[bytes | None]
