"""Sends what is due: claims a message, renders and sends it with no transaction open, settles it, and goes on."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine

from models.vault import Vault, VaultError
from notifiers import apprise_urls, outbox
from notifiers.errors import DeliveryError, TargetError
from notifiers.render import Message, render_message
from notifiers.send import send

logger = logging.getLogger(__name__)


@dataclass(kw_only=True)
class DeliverySummary:
    """How many messages were sent, and what became of the deliveries in them."""

    messages: int = 0
    sent: int = 0
    failed: int = 0
    dead: int = 0


def deliver_due(
    engine: Engine,
    vault: Vault,
    clock: Callable[[], datetime],
    *,
    limit: int = 100,
    within: timedelta | None = None,
) -> DeliverySummary:
    """Send messages until nothing is due, `limit` were tried, or `within` has passed; returns the counts.

    Safe to run in any number of processes at once, and to kill at any time. A message that fails is settled for
    later, so this raises only if the database does.
    """
    summary = DeliverySummary()
    started_at = clock()
    while summary.messages < limit and (within is None or clock() - started_at < within):
        # One at a time: a lease must not run out while its message waits behind a slow service.
        with engine.begin() as connection:
            claimed = outbox.claim(connection, clock(), limit=1)
        if not claimed:
            break
        _deliver(engine, vault, clock, claimed[0], summary)
    return summary


def _deliver(
    engine: Engine,
    vault: Vault,
    clock: Callable[[], datetime],
    claimed: outbox.ClaimedMessage,
    summary: DeliverySummary,
) -> None:
    summary.messages += 1
    try:
        _send(vault, claimed)
    except DeliveryError as error:
        _settle_failed(engine, clock, claimed, error, summary)
        return
    with engine.begin() as connection:
        summary.sent += outbox.settle_sent(connection, claimed, clock())


def _send(vault: Vault, claimed: outbox.ClaimedMessage) -> None:
    """Open, render and send one message; whatever goes wrong becomes a DeliveryError."""
    with _in_our_words():
        url = vault.decrypt(claimed.url_encrypted)
        limits = apprise_urls.open_url(url).limits
        message = render_message(claimed.events, limits)
    try:
        send(url, message)
    except DeliveryError as error:
        if not error.may_be_too_long:
            raise
        with _in_our_words():
            shorter = render_message(claimed.events, limits.reduced())
        _send_shorter(url, None if shorter == message else shorter, error)


@contextmanager
def _in_our_words() -> Iterator[None]:
    """Turn whatever goes wrong while a message is made into a DeliveryError."""
    try:
        yield
    except (TargetError, VaultError) as error:
        # Not permanent: the right key file may be back tomorrow.
        raise DeliveryError(str(error)) from error
    except Exception as error:
        # An event that cannot be shown must not stop the queue; its type is all we dare to store.
        raise DeliveryError(f"the message could not be made ({type(error).__name__})") from error


def _send_shorter(url: str, shorter: Message | None, refusal: DeliveryError) -> None:
    """Send a refused message once more, much shorter: a server may be set to take less than its service does.

    One that is too long even so will be tomorrow as well, so its DeliveryError is permanent.
    """
    try:
        if shorter is None:
            raise refusal
        send(url, shorter)
    except DeliveryError as error:
        raise DeliveryError(error.reason, permanent=error.permanent or error.too_long) from error


def _settle_failed(
    engine: Engine,
    clock: Callable[[], datetime],
    claimed: outbox.ClaimedMessage,
    error: DeliveryError,
    summary: DeliverySummary,
) -> None:
    with engine.begin() as connection:
        dead = outbox.settle_failed(connection, claimed, clock(), error.reason, permanent=error.permanent)
    summary.dead += dead
    summary.failed += len(claimed.deliveries) - dead
    logger.warning(
        "%d deliveries to %s failed%s: %s",
        len(claimed.deliveries),
        claimed.target,
        f", {dead} for good" if dead else "",
        error.reason,
    )
