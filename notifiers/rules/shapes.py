"""The blocks of a rules file, and their JSON Schema for editors. Pure."""

import re
from collections.abc import Iterable
from datetime import time
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from notifiers.conditions.conditions import Conditions, RewardKind, conditions_from_json
from notifiers.errors import TargetError
from notifiers.reader import is_locale
from notifiers.timing.quiet import ALWAYS_QUIET, is_always_quiet
from notifiers.timing.settings import DAYS, Day, Digest, Role, TargetSettings, Window, read_time

SCHEMA_ID = "https://json-schema.org/draft/2020-12/schema"
_SPAN = re.compile(r"(?P<begins>\d{1,2}:\d{2})\s*(?:-|–|to)\s*(?P<ends>\d{1,2}:\d{2})(?:\s+(?P<days>[\w ,-]+))?")
_DIGEST = re.compile(r"(hourly|daily|weekly)(?:\s+on\s+(\w+))?(?:\s+at\s+(\d{1,2}:\d{2}|:\d{2}))?")
_MIDNIGHT, _DAYS_END = time(), "24:00"
_SECONDS = {"s": 1, "min": 60, "m": 60, "h": 3600}


def _listed(value: Any) -> Any:
    """Take one value for a list of it."""
    return [value] if isinstance(value, str) else value


def _seconds(value: Any) -> Any:
    """Read `30s`, `5 min` or `1h`."""
    if isinstance(value, str):
        match = re.fullmatch(r"(\d+)\s*(s|min|m|h)", value.strip())
        if match is None:
            raise ValueError("must be a time such as 30s, 5min or 1h")
        return int(match[1]) * _SECONDS[match[2]]
    return value


def _language(value: str) -> str:
    if not is_locale(value):
        raise ValueError("must be a language such as en, de or pt_BR")
    return value


def _unsubscribe(value: str) -> str:
    try:
        return TargetSettings(unsubscribe=value).unsubscribe
    except TargetError as error:
        raise ValueError(str(error)) from None


Names = Annotated[list[str], BeforeValidator(_listed)]
Seconds = Annotated[int, BeforeValidator(_seconds), Field(ge=0, le=86_400)]


class Block(BaseModel):
    """A block of the file; a key that it does not know is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class QuietBlock(Block):
    """Hours in which a target hears nothing but what is urgent: `22:00-07:00`, `23:00-08:00 sat, sun`, or this."""

    begins: str
    ends: str
    days: list[Day] = []

    @model_validator(mode="before")
    @classmethod
    def _written_in_a_line(cls, value: Any) -> Any:
        return value if isinstance(value, dict) else _quiet_of_line(value)

    @model_validator(mode="after")
    def _is_of_times(self) -> "QuietBlock":
        _check_times(self.begins, self._last)
        # From one midnight to the next is a day, and nobody means that by another time.
        if read_time(self.begins) == read_time(self._last) != _MIDNIGHT:
            raise ValueError(
                f"{self.begins}-{self.ends} ends when it begins; write hours such as 22:00-07:00, "
                "or 00:00-24:00 sun for whole days"
            )
        return self

    @property
    def window(self) -> Window:
        """The hours as the database keeps them."""
        return Window(begins=self.begins, ends=self._last, days=tuple(self.days))

    @property
    def _last(self) -> str:
        return "00:00" if self.ends.strip() == _DAYS_END else self.ends


class DigestBlock(Block):
    """One message for an hour, a day or a week: `hourly`, `daily at 08:00`, `weekly on fri at 18:00`, or this."""

    every: Literal["hour", "day", "week"] = "day"
    at: str = "08:00"
    day: Day = "mon"

    @model_validator(mode="before")
    @classmethod
    def _written_in_a_line(cls, value: Any) -> Any:
        return value if isinstance(value, dict) else _digest_of_line(value)

    @model_validator(mode="after")
    def _is_of_times(self) -> "DigestBlock":
        _check_times(self.at)
        return self

    @property
    def digest(self) -> Digest:
        """The digest as the database keeps it."""
        return Digest(every=self.every, at=self.at, day=self.day)


def _with_an_end(quiet: list[QuietBlock]) -> list[QuietBlock]:
    if is_always_quiet(block.window for block in quiet):
        raise ValueError(ALWAYS_QUIET)
    return quiet


class Defaults(Block):
    """What targets are that do not say otherwise."""

    timezone: str | None = None
    locale: Annotated[str, AfterValidator(_language)] | None = None
    quiet: Annotated[list[QuietBlock], BeforeValidator(_listed), AfterValidator(_with_an_end)] | None = None
    digest: DigestBlock | None = None
    urgent: Names | None = None
    burst: Seconds | None = None
    burst_longest: Seconds | None = None
    unsubscribe: Annotated[str, AfterValidator(_unsubscribe)] | None = None
    # Whether addresses may be in a private network. Where nothing is written, a target stays as it is.
    private: bool | None = None


class HeartbeatBlock(DigestBlock):
    """When an operator's target is told that all goes on: `daily at 08:00`, `weekly on mon at 08:00`."""

    @model_validator(mode="after")
    def _is_not_hourly(self) -> "HeartbeatBlock":
        if self.every == "hour":
            raise ValueError("must be daily or weekly, such as `daily at 08:00`; a ping (LOOTWIRE_PING_URL) is quicker")
        return self


def settings_of(block: Defaults, keys: Iterable[str]) -> dict[str, Any]:
    """Return the settings that these keys of a block set, as `TargetSettings` has them."""
    values: dict[str, Any] = {
        "quiet": tuple(quiet.window for quiet in block.quiet or ()),
        "digest": block.digest.digest if block.digest else None,
        "urgent": tuple(block.urgent or ()),
        "burst": block.burst or 0,
        "locale": block.locale,
        "unsubscribe": block.unsubscribe,
        "private": bool(block.private),
    }
    return {"burst_seconds" if key == "burst" else key: values[key] for key in keys}


class TargetBlock(Defaults):
    """A place to send messages to. The address is an Apprise URL: better `env:NAME` or `file:PATH` than itself."""

    name: str
    url: str
    paused: bool = False
    # An operator hears how the installation is, without any subscription.
    role: Role | None = None
    heartbeat: HeartbeatBlock | None = None

    @model_validator(mode="after")
    def _is_an_operators(self) -> "TargetBlock":
        if self.heartbeat is not None and self.role != "operator":
            raise ValueError('`heartbeat` needs `role = "operator"`')
        return self

    def settings(self, defaults: Defaults) -> TargetSettings:
        """Return the settings of the target as the database keeps them."""
        usual = TargetSettings()
        quiet = _either(self.quiet, defaults.quiet)
        digest = _either(self.digest, defaults.digest)
        urgent = _either(self.urgent, defaults.urgent)
        return TargetSettings(
            quiet=tuple(block.window for block in quiet or ()),
            digest=digest.digest if digest else None,
            urgent=usual.urgent if urgent is None else tuple(urgent),
            burst_seconds=_either(self.burst, defaults.burst) or 0,
            burst_longest_seconds=_either(self.burst_longest, defaults.burst_longest) or usual.burst_longest_seconds,
            locale=_either(self.locale, defaults.locale) or usual.locale,
            heartbeat=self.heartbeat.digest if self.heartbeat else None,
            unsubscribe=_either(self.unsubscribe, defaults.unsubscribe) or usual.unsubscribe,
            private=bool(_either(self.private, defaults.private)),
        )


class SubscriptionBlock(Block):
    """What targets hear of; a condition that is left out holds of every event."""

    name: str
    to: Names = Field(min_length=1)
    kinds: Names = []
    services: Names = []
    games: Names = []
    organizations: Names = []
    channels: Names = []
    lists: Names = []
    categories: Names = []
    platforms: Names = []
    require: Names = []
    block: Names = []
    min_minutes: int | None = Field(default=None, ge=0)
    max_minutes: int | None = Field(default=None, ge=0)
    no_subscriptions: bool = False
    rewards: Annotated[list[RewardKind], BeforeValidator(_listed)] = []
    linked: bool | None = None
    followed_games: bool = False
    followed_channels: bool = False
    only_live: bool = False
    languages: Names = []
    no_reruns: bool = False

    @property
    def conditions(self) -> Conditions:
        """The conditions as the database keeps them."""
        return conditions_from_json(self.model_dump(exclude={"name", "to"}))


class FollowBlock(Block):
    """What to watch: channels, categories with their most watched streams, games, a list of games, or all drops."""

    channels: Names = []
    categories: Names = []
    top: int = Field(default=10, ge=1, le=100)
    games: Names = []
    # Files of titles, beside the rules file.
    lists: Names = []
    drops: bool = False


class Rules(BaseModel):
    """All blocks of a file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    defaults: Defaults = Defaults()
    target: list[TargetBlock] = []
    subscription: list[SubscriptionBlock] = []
    follow: list[FollowBlock] = []


BLOCKS = frozenset(Rules.model_fields)


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a rules file, for editors that complete and check TOML."""
    return {"$schema": SCHEMA_ID, "title": "Lootwire's rules", **Rules.model_json_schema()}


def _either(own: Any, usual: Any) -> Any:
    return usual if own is None else own


def _check_times(*times: str) -> None:
    try:
        for written in times:
            read_time(written)
    except TargetError as error:
        raise ValueError(str(error)) from None


def _quiet_of_line(line: object) -> dict[str, Any]:
    match = _SPAN.fullmatch(line.strip()) if isinstance(line, str) else None
    if match is None:
        raise ValueError("must be hours such as 22:00-07:00, or 23:00-08:00 sat, sun")
    return {"begins": match["begins"], "ends": match["ends"], "days": _days(match["days"] or "")}


def _days(written: str) -> list[str]:
    """Read `mon-fri`, `sat, sun` or `sat sun`."""
    days: list[str] = []
    for part in re.split(r"[,\s]+", written.lower().strip()):
        first, _, last = part.partition("-")
        if not last:
            days += [part] if part else []
        elif first in DAYS and last in DAYS:
            begin, end = DAYS.index(first), DAYS.index(last)
            days += [DAYS[number % 7] for number in range(begin, (end if end >= begin else end + 7) + 1)]
        else:
            days.append(part)
    return days


def _digest_of_line(line: object) -> dict[str, Any]:
    match = _DIGEST.fullmatch(line.strip().lower()) if isinstance(line, str) else None
    if match is None:
        raise ValueError("must be hourly, daily, weekly, or such as `daily at 08:00` and `weekly on fri at 18:00`")
    every = {"hourly": "hour", "daily": "day", "weekly": "week"}[match[1]]
    at = f"00{match[3]}" if match[3] and match[3].startswith(":") else match[3]
    usual = "00:00" if every == "hour" else "08:00"
    return {"every": every, "at": at or usual, **({"day": match[2][:3]} if match[2] else {})}
