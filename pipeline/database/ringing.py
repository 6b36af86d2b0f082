"""Ring a bell when a transaction commits: programs that listen look at once (`pipeline.runtime.wake`).

PostgreSQL's NOTIFY does it. No row depends on it, since whoever listens looks now and then without a bell, too.
"""

from enum import StrEnum

from sqlalchemy import Connection, text


class Bell(StrEnum):
    """What may be heard: the channels of NOTIFY."""

    EVENTSUB = "lootwire_eventsub"
    EVENTS = "lootwire_events"


_RING = {bell: text(f"NOTIFY {bell.value}") for bell in Bell}


def ring(connection: Connection, bell: Bell) -> None:
    """Wake all who listen when the caller's transaction commits; a transaction that rings twice is heard once."""
    connection.execute(_RING[bell])
