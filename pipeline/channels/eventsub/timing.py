"""How often the program looks at each thing, and how long it waits."""

from datetime import timedelta

import msgspec

from pipeline.channels.eventsub.session import GRACE


class Paces(msgspec.Struct, frozen=True, kw_only=True):
    """All times of the program; tests run through them faster."""

    # Is the lead still ours, or free?
    lead: timedelta = timedelta(seconds=1)
    beat: timedelta = timedelta(seconds=10)
    # Is a channel followed that was not? A question to the database alone.
    wanted: timedelta = timedelta(seconds=10)
    # Does our conduit still deliver to us? A request.
    shard: timedelta = timedelta(seconds=30)
    # Are all subscriptions still there? A request for each hundred.
    reconcile: timedelta = timedelta(hours=1)
    # New webhooks are verified within seconds, or end; then it is time to say so.
    verified: timedelta = timedelta(minutes=5)
    retry: timedelta = timedelta(seconds=30)
    # Look for rows that a dead process left, before Celery's sweep finds them.
    sweep: timedelta = timedelta(seconds=15)
    # Beyond what a keepalive may take.
    grace: timedelta = GRACE
    # A thread that gives no sign for so long hangs, and only a new process helps.
    hung: timedelta = timedelta(minutes=3)
