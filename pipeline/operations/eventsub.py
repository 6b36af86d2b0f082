"""EventSub: how Twitch's messages come in, what Twitch has subscribed for us, and which messages came."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import Connection

from pipeline.channels.eventsub import looking
from pipeline.channels.eventsub.looking import EventSubFigures, Messages, SubscriptionLine, Verification, Way
from pipeline.channels.eventsub.source_row import load_memory
from pipeline.fetch.http import Client
from pipeline.programs import health
from pipeline.runtime.runtime import Runtime
from pipeline.runtime.settings import Settings
from pipeline.services.twitch.helix import Helix


def show_eventsub(runtime: Runtime, now: datetime) -> EventSubFigures:
    """Return how Twitch's messages come in, as the last look at the subscriptions found them."""
    says = health.describe(runtime.engine, runtime.settings, now)
    with runtime.engine.connect() as connection:
        return looking.load_figures(connection, _way(runtime.settings), says)


def list_subscriptions(
    runtime: Runtime, *, status: str | None = None, kind: str | None = None, ours: bool | None = None
) -> list[SubscriptionLine]:
    """Ask Twitch for the subscriptions of our application; of a status, of a type, ours or foreign ones alone.

    Raises `LootwireError` that names the setting where an application is needed, `SourceError` where Twitch does not
    answer.
    """
    with runtime.engine.connect() as connection:
        memory = load_memory(connection)
    transports = looking.own_transports(memory, runtime.settings.eventsub_callback_url)
    with _helix(runtime) as helix:
        lines = looking.list_subscriptions(helix, transports)
    return [
        line
        for line in lines
        if status in {None, line.status} and kind in {None, line.type} and ours in {None, line.ours}
    ]


def verify(runtime: Runtime, now: datetime) -> Verification:
    """Ask Twitch for all subscriptions and compare them with those that we want; nothing is changed.

    Raises what `list_subscriptions` does.
    """
    with _helix(runtime) as helix:
        return looking.verify(
            runtime.engine,
            helix,
            now,
            client_id=runtime.settings.twitch_client_id or "",
            callback_url=runtime.settings.eventsub_callback_url,
        )


def remove_own(runtime: Runtime, now: datetime) -> int:
    """Delete all subscriptions of ours; the program of EventSub makes the wanted ones anew. Returns how many it were.

    Raises what `list_subscriptions` does.
    """
    with _helix(runtime) as helix:
        return looking.remove_own(runtime.engine, helix, now, callback_url=runtime.settings.eventsub_callback_url)


def remove_one(runtime: Runtime, now: datetime, subscription_id: str) -> None:
    """Delete the subscription of an id, a foreign one too.

    Raises `UnknownThing` where Twitch has none, and what `list_subscriptions` does.
    """
    with _helix(runtime) as helix:
        looking.remove_one(runtime.engine, helix, subscription_id, now)


def show_messages(connection: Connection) -> Messages:
    """Return which messages came, were handled and were refused, by type, and the last of them."""
    return looking.load_messages(connection)


def _way(settings: Settings) -> Way:
    if settings.missing_of_application:
        return "off"
    return "webhook" if settings.eventsub_callback_url is not None else "websocket"


@contextmanager
def _helix(runtime: Runtime) -> Iterator[Helix]:
    with Client() as client:
        yield runtime.needed_helix(client)
