"""Sends what is due: claims a message, renders and sends it with no transaction open, settles it, and goes on."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event, Thread

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from models.vault import Vault, VaultError
from notifiers import apprise_urls, outbox
from notifiers.errors import DeliveryError, TargetError
from notifiers.hearing import PATIENCE, Patience
from notifiers.render import Message, render_message
from notifiers.send import send

logger = logging.getLogger(__name__)
# Often enough that two renewals may fail before the lease runs out.
RENEW_SECONDS = outbox.LEASE_SECONDS / 3


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
    patience: Patience = PATIENCE,
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
        _deliver(engine, vault, clock, claimed[0], summary, patience)
    return summary


def _deliver(
    engine: Engine,
    vault: Vault,
    clock: Callable[[], datetime],
    claimed: outbox.ClaimedMessage,
    summary: DeliverySummary,
    patience: Patience,
) -> None:
    summary.messages += 1
    try:
        with _renewed(engine, clock, claimed, patience):
            rest = _send(vault, claimed, patience)
    except DeliveryError as error:
        _settle_failed(engine, clock, claimed, error, summary)
        return
    with engine.begin() as connection:
        summary.sent += outbox.settle_sent(connection, claimed, clock())
        if rest:
            outbox.let_rest(connection, claimed.target_id, clock(), rest)


@contextmanager
def _renewed(
    engine: Engine, clock: Callable[[], datetime], claimed: outbox.ClaimedMessage, patience: Patience
) -> Iterator[None]:
    """Renew a message's lease for as long as it can be under way, should it be: a mail server has ten minutes.

    The lease itself stays short, so that what a killed worker was sending is soon tried again.
    """
    settled, until = Event(), time.monotonic() + patience.longest

    def renew() -> None:
        while not settled.wait(RENEW_SECONDS) and time.monotonic() < until:
            try:
                with engine.begin() as connection:
                    outbox.renew(connection, claimed, clock())
            except SQLAlchemyError:
                logger.warning("the lease of a message to %s was not renewed", claimed.target, exc_info=True)

    thread = Thread(target=renew, name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        settled.set()
        # It must not renew what is settled a moment later; the token would stop it, but not its connection.
        thread.join()


def _send(vault: Vault, claimed: outbox.ClaimedMessage, patience: Patience) -> timedelta | None:
    """Open, render and send one message; whatever goes wrong becomes a DeliveryError.

    Returns for how long the service wants no other, where it says so.
    """
    again = claimed.may_have_arrived
    with _in_our_words():
        url = vault.decrypt(claimed.url_encrypted)
        limits = apprise_urls.open_url(url).limits
        message = render_message(claimed.events, limits, again=again)
    try:
        return send(url, message, patience)
    except DeliveryError as error:
        # A service that asks for a rest is not asked again at once.
        if not error.may_be_too_long or error.retry_after:
            raise
        with _in_our_words():
            shorter = render_message(claimed.events, limits.reduced(), again=again)
        return _send_shorter(url, None if shorter == message else shorter, error, patience)


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


def _send_shorter(url: str, shorter: Message | None, refusal: DeliveryError, patience: Patience) -> timedelta | None:
    """Send a refused message once more, much shorter: a server may be set to take less than its service does.

    One that is too long even so will be tomorrow as well, so its DeliveryError is permanent.
    """
    try:
        if shorter is None:
            raise refusal
        return send(url, shorter, patience)
    except DeliveryError as error:
        raise DeliveryError(
            error.reason,
            permanent=error.permanent or error.too_long,
            retry_after=error.retry_after,
            unanswered=error.unanswered,
        ) from error


def _settle_failed(
    engine: Engine,
    clock: Callable[[], datetime],
    claimed: outbox.ClaimedMessage,
    error: DeliveryError,
    summary: DeliverySummary,
) -> None:
    with engine.begin() as connection:
        now = clock()
        dead = outbox.settle_failed(
            connection, claimed, now, error.reason, permanent=error.permanent, unanswered=error.unanswered
        )
        if error.retry_after:
            outbox.let_rest(connection, claimed.target_id, now, error.retry_after)
    summary.dead += dead
    summary.failed += len(claimed.deliveries) - dead
    logger.warning(
        "%d deliveries to %s failed%s: %s",
        len(claimed.deliveries),
        claimed.target,
        f", {dead} for good" if dead else "",
        error.reason,
    )
