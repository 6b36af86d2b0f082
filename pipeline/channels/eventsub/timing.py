"""How often the program looks at each thing, and how long it waits."""

from datetime import timedelta

import msgspec

from pipeline.channels.eventsub.session import GRACE


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """All times of the program; tests run through them faster."""

    # Whether the lead is still ours, or free.
    lead: timedelta = timedelta(seconds=1)
    beat: timedelta = timedelta(seconds=10)
    # Whether a new channel is followed: a query to the database alone.
    wanted: timedelta = timedelta(seconds=10)
    # Whether our conduit still delivers to us: a request.
    shard: timedelta = timedelta(seconds=30)
    # Whether all subscriptions are still there: a request for each hundred.
    reconcile: timedelta = timedelta(hours=1)
    # What was asked for and is not listed, or not verified yet, is looked at again after this, and then each time after
    # twice as long, up to `reconcile`.
    verified: timedelta = timedelta(seconds=10)
    # Webhooks are verified within seconds: where they are not after so long, the operator is to hear of it.
    pending: timedelta = timedelta(minutes=5)
    retry: timedelta = timedelta(seconds=30)
    # Look for rows that a dead process left, before Celery's sweep finds them.
    sweep: timedelta = timedelta(seconds=15)
    # Beyond what a keepalive may take.
    grace: timedelta = GRACE
    # A thread that gives no sign for so long hangs, and only a new process helps.
    hung: timedelta = timedelta(minutes=3)
