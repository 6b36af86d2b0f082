"""What a test may change of the local Twitch, while it runs too."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Settings:
    """Plain attributes; the defaults are Twitch's own numbers, times are in seconds."""

    def __init__(self) -> None:
        # Twitch's clock: what its answers say, and what `list_lag` and tokens are judged by. Time-outs, keepalives
        # and the request budget run in real time.
        self.now: Callable[[], datetime] = _utc_now

        self.token_lifetime = 5_011_271
        self.live_tokens = 25
        # Points in the bucket, and how long an empty one takes to be full again.
        self.budget = 800
        self.budget_seconds = 60.0

        # Every answer waits so long.
        self.latency = 0.0
        # Every connection is torn down: requests and new sockets.
        self.unreachable = False
        # How long /streams does not know of a new stream and goes on listing an ended one.
        self.list_lag = 0.0
        # So many rows of a page of /streams come again on the next one; below zero, so many are missed.
        self.repeated_rows = 0

        # Overrides what a client asks for by keepalive_timeout_seconds, in the welcome too.
        self.keepalive_seconds: float | None = None
        self.keepalives = True
        # A socket that carries no subscription for so long is closed with 4003.
        self.attach_seconds = 10.0
        # After session_reconnect the old socket is closed with 4004.
        self.reconnect_grace_seconds = 30.0
        # Public clients disagree on whether the session behind reconnect_url keeps its id; clients must bear both.
        self.reconnect_keeps_id = True

        # New subscriptions are answered as made (202), or as there already (409), and never listed.
        self.forgets_subscriptions: int | None = None
        self.max_total_cost = 10_000
        self.max_conduits = 5
        self.max_same_subscriptions = 3
        # Plain websockets with subscriptions, of one user.
        self.max_sockets = 3

        # Where all callbacks really go: real ones are https on port 443, which no test can serve. None: none answers.
        self.callback_to: str | None = None
        self.webhook_timeout = 10.0
        # Challenges of new webhooks are never sent, so that these wait for ever.
        self.verifies_webhooks = True
        # The pauses before a message is sent again.
        self.webhook_retries: Sequence[float] = (10.0, 30.0, 60.0)
        # So many messages that no attempt brought to a callback end a subscription.
        self.webhook_failures = 3
