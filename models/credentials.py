"""Sign-ins at services."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class Credential(Base):
    """A sign-in at a service: one account, its tokens encrypted. `dead_at` is set once the service refuses them."""

    __tablename__ = "credentials"

    service: Mapped[str] = mapped_column(primary_key=True)
    login: Mapped[str]
    user_id: Mapped[str]
    # The application that the tokens were made for; they are worth nothing beside another one.
    client_id: Mapped[str]
    tokens_encrypted: Mapped[bytes]
    # Made up at the first sign-in and kept: a device that changes with every request looks like a robot.
    device_id: Mapped[str]
    session_id: Mapped[str]
    signed_in_at: Mapped[datetime]
    # Null where the service names no end.
    expires_at: Mapped[datetime | None]
    validated_at: Mapped[datetime]
    dead_at: Mapped[datetime | None]
    dead_reason: Mapped[str | None]
