"""Send what is due, for tests that want to see how it ends."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine

from models.vault import Vault
from notifiers.deliver import DeliverySummary, Sender
from notifiers.hearing import PATIENCE, Patience


def deliver_due(
    engine: Engine,
    vault: Vault,
    clock: Callable[[], datetime],
    *,
    limit: int = 100,
    within: timedelta | None = None,
    lanes: int = 4,
    patience: Patience = PATIENCE,
    templates: Path | None = None,
) -> DeliverySummary:
    """Send messages until nothing is due, `limit` were begun, or `within` has passed; returns when they are over."""
    sender = Sender(engine, vault, clock, lanes=lanes, patience=patience, templates=templates)
    try:
        summary = sender.send_due(limit=limit, within=within)
    finally:
        rest = sender.finish()
    summary.sent += rest.sent
    summary.failed += rest.failed
    summary.dead += rest.dead
    return summary
