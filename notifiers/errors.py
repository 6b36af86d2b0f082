"""The errors of sending messages; none of their texts holds an address, a token or a key."""

from models.errors import LootwireError, UsageError


class TargetError(UsageError):
    """A target or subscription cannot be as a person asked for it; the text says why and what to do instead."""


class DeliveryError(LootwireError):
    """A message was not taken. `permanent` is true only where trying again cannot help.

    `too_long` says that the message was too long for the service, and `may_be_too_long` that this is one of the reasons
    that its answer can have.
    """

    def __init__(
        self, reason: str, *, permanent: bool = False, too_long: bool = False, may_be_too_long: bool = False
    ) -> None:
        """`reason` is shown and stored: it must come from our own words, never from the address or an answer."""
        super().__init__(reason)
        self.reason = reason
        self.permanent = permanent
        self.too_long = too_long
        self.may_be_too_long = too_long or may_be_too_long
