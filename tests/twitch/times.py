"""How Twitch writes times."""

import random
from datetime import UTC, datetime


def seconds(moment: datetime) -> str:
    """A time as Helix writes it: whole seconds."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def nanoseconds(moment: datetime) -> str:
    """A time as EventSub writes it: nine digits, and fewer where the last ones are zeros, as Go prints them."""
    digits = f"{moment.astimezone(UTC):%f}{random.randrange(1000):03d}".rstrip("0")  # noqa: S311 - no secret
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{digits or 0}Z"
