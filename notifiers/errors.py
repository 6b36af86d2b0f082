"""The errors of sending messages; none of their texts holds an address, a token or a key."""

from datetime import timedelta

from models.errors import LootwireError, TakenName, UnknownThing, UsageError


class TargetError(UsageError):
    """A target or subscription cannot be as a person asked for it; the text says why and what to do instead."""


class UnknownTarget(TargetError, UnknownThing):
    """A person has no target or subscription of that name."""


class TakenTarget(TargetError, TakenName):
    """A person has another target or subscription of that name already."""


class DeliveryError(LootwireError):
    """A message was not taken, or nobody knows. `permanent` is true only where trying again cannot help.

    `too_long` says that the message was too long for the service, and `may_be_too_long` that this is one of the reasons
    that its answer can have. `retry_after` is how long the service wants to be left alone, `is_for_all` by all of our
    messages there. `unanswered` says that it took the whole message and never answered, so that it may have arrived.
    `passing` says that nothing is wrong with the message itself: the service is away, or busy.
    """

    def __init__(
        self,
        reason: str,
        *,
        permanent: bool = False,
        too_long: bool = False,
        may_be_too_long: bool = False,
        retry_after: timedelta | None = None,
        is_for_all: bool = False,
        unanswered: bool = False,
        passing: bool = False,
    ) -> None:
        """`reason` is shown and stored: nothing of the address may be in it, and an answer only by `safe_words`."""
        super().__init__(reason)
        self.reason = reason
        self.permanent = permanent
        self.too_long = too_long
        self.may_be_too_long = too_long or may_be_too_long
        self.retry_after = retry_after
        self.is_for_all = is_for_all
        self.unanswered = unanswered
        self.passing = passing
