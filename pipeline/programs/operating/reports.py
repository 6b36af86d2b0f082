"""Reads what is known of troubles: what programs reported lately, and the rows of incidents.

Apart from what tells of them, which loads far more: `lootwire status` reads them too.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, RowMapping, select

from models import Incident
from models.events import EventKind
from pipeline.programs.operating.episodes import Episode
from pipeline.programs.operating.troubles import Trouble

# A report is believed for so long: whoever makes one meets the trouble every minute.
REPORT_HOLDS = timedelta(seconds=100)
# What nobody but the program, or the machine, that meets it sees.
REPORTED = frozenset(
    {
        EventKind.OPERATOR_PUBLISH_FAILED,
        EventKind.OPERATOR_CLOCK_JUMPED,
        EventKind.OPERATOR_PING_FAILED,
        EventKind.OPERATOR_DISK_READ_ONLY,
        EventKind.OPERATOR_DISK_FULL,
    }
)

Key = tuple[str, str, str]


class Row(msgspec.Struct, frozen=True):
    """A row of `incidents`: the trouble, and how far its story has come."""

    trouble: Trouble
    episode: Episode


def load_reported(connection: Connection, now: datetime) -> tuple[Trouble, ...]:
    """Return the troubles that were met within the last minutes, on any machine."""
    rows = connection.execute(select(*Incident.__table__.c).where(Incident.kind.in_(REPORTED), *is_believed(now)))
    return tuple(row_of(row).trouble for row in rows.mappings())


def is_believed(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions that what a row reports is taken for true still."""
    return Incident.recovered_at.is_(None), Incident.seen_at >= now - REPORT_HOLDS


def row_of(row: Mapping[str, Any] | RowMapping) -> Row:
    """Return a row as the database gives it."""
    kind = EventKind(row["kind"])
    # A bucket is a copy: what is published can be read without it.
    is_of_folder = kind == EventKind.OPERATOR_PUBLISH_FAILED and not row["subject"]
    stops_work = is_of_folder or kind == EventKind.OPERATOR_DISK_READ_ONLY
    trouble = Trouble(
        kind=kind,
        **{name: row[name] for name in ("subject", "host", "name", "reason", "since")},
        stops_work=stops_work or (kind == EventKind.OPERATOR_DISK_FULL and row["subject"] == "full"),
        is_seen=False,
    )
    return Row(trouble, Episode(**{name: row[name] for name in Episode.__struct_fields__}))
