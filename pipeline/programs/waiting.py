"""What an installation waits for, and why: sources that fail or were never read, and those that are off.

Commands that must be quick ask it too, so it names sources instead of importing what they need.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection, func, or_, select

from feeds.content import SourceOff
from models import DropCampaign, Event, RewardCampaign, Source
from models.due import NEVER
from pipeline.library.store.accounts import services_with_accounts
from pipeline.runtime.settings import Settings
from pipeline.services.twitch.credentials import SOURCES, is_signed_in

OF_ACCOUNT = SOURCES["twitch"]
# By the service at which somebody signs in with a key of their own.
OF_SHOPS = {"steam": ("steam.library",), "retroachievements": ("retroachievements.library",)}
OF_APPLICATION = (
    *("twitch.badges", "twitch.streams", "twitch.streams_in_campaigns", "twitch.videos"),
    *("igdb.links", "igdb.wanted"),
)


class SourceWaiting(msgspec.Struct, frozen=True, kw_only=True):
    """A source that is on and fails, or was never read; `next_due_at` is when it is asked again.

    It is None for one that is not polled: EventSub has a program of its own, which tries again by itself.
    """

    source: str
    failing_since: datetime | None
    last_error: str | None
    next_due_at: datetime | None


def switched_off(connection: Connection, settings: Settings) -> tuple[SourceOff, ...]:
    """Return the sources that are off for want of settings or of a sign-in, each group with what it needs."""
    missing = [
        name
        for name, value in (
            ("TWITCH_CLIENT_ID", settings.twitch_client_id),
            ("TWITCH_CLIENT_SECRET", settings.twitch_client_secret),
        )
        if value is None
    ]
    application = SourceOff(names=OF_APPLICATION, needs=" and ".join(missing))
    signed_in = services_with_accounts(connection) | ({"twitch"} if is_signed_in(connection, "twitch") else set())
    accounts = [
        SourceOff(names=names, needs=f"a sign-in (lootwire sources login {service})")
        for service, names in {"twitch": OF_ACCOUNT, **OF_SHOPS}.items()
        if service not in signed_in
    ]
    return (*([application] if missing else ()), *accounts)


def load_waiting(connection: Connection) -> Sequence[SourceWaiting]:
    """Return the sources that are on and fail, or were never read, by name."""
    next_due_at = func.nullif(Source.next_due_at, NEVER).label("next_due_at")
    columns = (Source.name.label("source"), Source.failing_since, Source.last_error, next_due_at)
    unread = or_(Source.failing_since.is_not(None), Source.last_success_at.is_(None))
    rows = connection.execute(select(*columns).where(Source.enabled, unread).order_by(Source.name)).mappings()
    return [SourceWaiting(**row) for row in rows]


def is_empty(connection: Connection) -> bool:
    """Whether nothing at all is known of: no campaign, reward or event."""
    tables = (Event, DropCampaign, RewardCampaign)
    return all(connection.scalar(select(table.id).limit(1)) is None for table in tables)


def describe_empty(connection: Connection) -> str:
    """Return a line on an installation that is empty: nothing was read yet, or what was read lists nothing."""
    read = connection.scalars(
        select(Source.name).where(Source.last_success_at.is_not(None)).order_by(Source.name)
    ).all()
    if not read:
        return "Nothing has been seen yet; `lootwire status` says how it goes on."
    return f"Nothing is listed by what was read so far ({', '.join(read)}); `lootwire status` says how it goes on."


def describe(waiting: Sequence[SourceWaiting], off: Sequence[SourceOff]) -> Iterator[str]:
    """Yield lines for the operator: what fails and why, what was not read yet, what is off for want of what."""
    # Commands describe it; the workers, which only ask what is off, need nothing that prints.
    from pipeline.runtime.output import show

    for source in waiting:
        if source.failing_since is not None:
            line = f"{source.source} has failed since {show(source.failing_since)} UTC: {show(source.last_error)}"
            yield f"{line}; asked again at {show(source.next_due_at)} UTC" if source.next_due_at else line
    if unread := [source.source for source in waiting if source.failing_since is None]:
        yield f"not read yet: {', '.join(unread)}"
    for group in off:
        yield f"off for want of {group.needs}: {', '.join(group.names)}"
