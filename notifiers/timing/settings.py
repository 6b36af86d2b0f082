"""The settings of a target, as the database and rules files keep them. Pure."""

import re
from datetime import time, timedelta
from typing import Any, Literal

import msgspec

from notifiers.errors import TargetError

_UNSUBSCRIBE = re.compile(r"(?:mailto:[^\s<>,@]+@[^\s<>,@/]+|https://[^\s<>,@/]+(?:/[^\s<>,]*)?)")

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
# What a target is there for beside its subscriptions.
Role = Literal["operator"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Window(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Hours of a day by the target's clock, over midnight where they end before they begin.

    `days` are those on which they begin, every day where there is none. What ends when it begins lasts a day.
    """

    begins: str
    ends: str
    days: tuple[Day, ...] = ()

    def __post_init__(self) -> None:
        """Raise TargetError where a time is none."""
        read_time(self.begins)
        read_time(self.ends)


class Digest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One message for all of an hour, a day or a week, at a time of the target's clock.

    Of an hourly one the minutes of `at` count; `day` is for a weekly one.
    """

    every: Literal["hour", "day", "week"] = "day"
    at: str = "08:00"
    day: Day = "mon"

    def __post_init__(self) -> None:
        """Raise TargetError where a time is none."""
        read_time(self.at)


class TargetSettings(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """When, how and where a target wants to be told."""

    quiet: tuple[Window, ...] = ()
    digest: Digest | None = None
    # Kinds and patterns that neither quiet hours nor a digest hold.
    urgent: tuple[str, ...] = ("campaign.last_chance",)
    # What comes within so many seconds of the event before it joins its message, which waits for so long at most.
    burst_seconds: int = 0
    burst_longest_seconds: int = 300
    # As CLDR names it: en, de, pt_BR.
    locale: str = "en"
    # Whether its address may be one of a private network, or of this machine.
    private: bool = False
    # Of an operator's target: when it is told that all goes on.
    heartbeat: Digest | None = None
    # Where a mail program asks for no more mails of this kind: mailto: or https.
    unsubscribe: str = ""

    def __post_init__(self) -> None:
        """Raise TargetError where an address is none."""
        if self.unsubscribe and not _UNSUBSCRIBE.fullmatch(self.unsubscribe):
            raise TargetError(
                f"{self.unsubscribe!r} is no address to unsubscribe at; write mailto:stop@example.org, or https://…"
            )

    @property
    def holds(self) -> bool:
        """Whether any message may have to wait."""
        return bool(self.quiet or self.digest or self.burst_seconds)

    @property
    def burst(self) -> timedelta:
        """How long a message waits for the next event."""
        return timedelta(seconds=self.burst_seconds)

    @property
    def longest_burst(self) -> timedelta:
        """How long a message waits at most; where a burst is set alone, at least for that."""
        return timedelta(seconds=max(self.burst_longest_seconds, self.burst_seconds))


def read_time(written: str) -> time:
    """Return a time of day that is written as `22:30`; raises TargetError for anything else."""
    hours, separator, minutes = written.strip().partition(":")
    is_time = separator and hours.isdecimal() and minutes.isdecimal() and len(minutes) == 2
    if is_time and int(hours) < 24 and int(minutes) < 60:
        return time(int(hours), int(minutes))
    raise TargetError(f"{written!r} is no time of day; write it as 07:00 or 22:30.")


def settings_to_json(settings: TargetSettings) -> dict[str, Any]:
    """Return settings as JSON builtins, without those that are as for every target."""
    built: dict[str, Any] = msgspec.to_builtins(settings)
    return built


def settings_from_json(value: dict[str, Any]) -> TargetSettings:
    """Return the settings that were stored; raises `msgspec.ValidationError` for what is none."""
    return msgspec.convert(value, TargetSettings)
