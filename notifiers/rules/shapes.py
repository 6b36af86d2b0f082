"""The blocks of a rules file, and their JSON Schema for editors. Pure."""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import time
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import CoreSchema

from notifiers.conditions.checks import mistake_of_kinds, mistake_of_languages, mistake_of_words
from notifiers.conditions.conditions import Conditions, LibraryWord, RewardKind, conditions_from_json
from notifiers.errors import TargetError
from notifiers.reader import is_locale
from notifiers.rules import schemas
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


def _checked(mistake_of: Callable[[list[str]], str | None]) -> AfterValidator:
    def check(values: list[str]) -> list[str]:
        if (mistake := mistake_of(values)) is not None:
            raise ValueError(mistake)
        return values

    return AfterValidator(check)


# Each with the schema of what may be written instead: one value for a list of it, a span of time with its unit.
_Kind = Annotated[str, WithJsonSchema(schemas.KIND)]
_Language = Annotated[str, WithJsonSchema(schemas.text(schemas.LANGUAGE))]
Names = Annotated[list[str], BeforeValidator(_listed, json_schema_input_type=str | list[str])]
SomeNames = Annotated[
    list[str],
    Field(min_length=1),
    BeforeValidator(_listed, json_schema_input_type=str | Annotated[list[str], Field(min_length=1)]),
]
Kinds = Annotated[
    list[str],
    BeforeValidator(_listed, json_schema_input_type=_Kind | list[_Kind]),
    _checked(mistake_of_kinds),
]
Languages = Annotated[
    list[str],
    BeforeValidator(_listed, json_schema_input_type=_Language | list[_Language]),
    _checked(mistake_of_languages),
]
Words = Annotated[Names, _checked(mistake_of_words)]
Rewards = Annotated[list[RewardKind], BeforeValidator(_listed, json_schema_input_type=RewardKind | list[RewardKind])]
LibraryWords = Annotated[
    list[LibraryWord], BeforeValidator(_listed, json_schema_input_type=LibraryWord | list[LibraryWord])
]
_Whole = Annotated[int, Field(ge=0, le=86_400)]
_Span = Annotated[str, WithJsonSchema(schemas.text(schemas.SPAN))]
Seconds = Annotated[_Whole, BeforeValidator(_seconds, json_schema_input_type=_Whole | _Span)]
Begin = Annotated[str, WithJsonSchema(schemas.text(schemas.TIME))]
End = Annotated[str, WithJsonSchema(schemas.text(schemas.END))]
LocaleName = Annotated[str, AfterValidator(_language), WithJsonSchema(schemas.text(schemas.LOCALE))]
Unsubscribe = Annotated[str, AfterValidator(_unsubscribe), WithJsonSchema(schemas.text(schemas.UNSUBSCRIBE))]


class Block(BaseModel):
    """A block of the file; a key that it does not know is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class LineBlock(Block):
    """A block that may be written in a line."""

    line_schema: ClassVar[Mapping[str, Any]]
    # What must hold of it as a table, beside its fields.
    table_schema: ClassVar[Mapping[str, Any]] = {}

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return the schema of either form."""
        fields = handler(core_schema)
        return {"anyOf": [cls.line_schema, {"allOf": [fields, cls.table_schema]} if cls.table_schema else fields]}


class QuietBlock(LineBlock):
    """Hours in which a target hears nothing but what is urgent: `22:00-07:00`, `23:00-08:00 sat, sun`, or this."""

    line_schema = schemas.text(schemas.QUIET)

    begins: Begin
    ends: End
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


class DigestBlock(LineBlock):
    """One message for an hour, a day or a week: `hourly`, `daily at 08:00`, `weekly on fri at 18:00`, or this.

    `none` is for a target that wants no digest where the defaults have one.
    """

    line_schema = schemas.text(schemas.DIGEST)

    every: Literal["hour", "day", "week", "none"] = "day"
    at: Begin = "08:00"
    day: Day = "mon"

    @classmethod
    def _forms(cls) -> str:
        """Return in which forms it may be written."""
        return "hourly, daily, weekly, none, or such as `daily at 08:00` and `weekly on fri at 18:00`"

    @model_validator(mode="before")
    @classmethod
    def _written_in_a_line(cls, value: Any) -> Any:
        return value if isinstance(value, dict) else _digest_of_line(value, cls._forms())

    @model_validator(mode="after")
    def _is_of_times(self) -> "DigestBlock":
        _check_times(self.at)
        return self

    @property
    def digest(self) -> Digest | None:
        """The digest as the database keeps it."""
        return None if self.every == "none" else Digest(every=self.every, at=self.at, day=self.day)


def _with_an_end(quiet: list[QuietBlock]) -> list[QuietBlock]:
    if is_always_quiet(block.window for block in quiet):
        raise ValueError(ALWAYS_QUIET)
    return quiet


_QuietLine = Annotated[str, WithJsonSchema(schemas.text(schemas.QUIET))]


class Defaults(Block):
    """What targets are that do not say otherwise."""

    timezone: str | None = None
    locale: LocaleName | None = None
    quiet: (
        Annotated[
            list[QuietBlock],
            BeforeValidator(_listed, json_schema_input_type=_QuietLine | list[QuietBlock]),
            AfterValidator(_with_an_end),
        ]
        | None
    ) = None
    digest: DigestBlock | None = None
    urgent: Kinds | None = None
    burst: Seconds | None = None
    burst_longest: Seconds | None = None
    unsubscribe: Unsubscribe | None = None
    # Whether addresses may be in a private network. Where nothing is written, a target stays as it is.
    private: bool | None = None


class HeartbeatBlock(DigestBlock):
    """When an operator's target is told that all goes on: `daily at 08:00`, `weekly on mon at 08:00`."""

    line_schema = schemas.text(schemas.HEARTBEAT)
    table_schema: ClassVar[Mapping[str, Any]] = {"properties": {"every": {"enum": ["day", "week"]}}}

    @classmethod
    def _forms(cls) -> str:
        return "daily, weekly, or such as `daily at 08:00` and `weekly on mon at 08:00`"

    @model_validator(mode="after")
    def _is_not_hourly(self) -> "HeartbeatBlock":
        if self.every in {"hour", "none"}:
            raise ValueError("must be daily or weekly, such as `daily at 08:00`; a ping (LOOTWIRE_PING_URL) is quicker")
        return self


def settings_of(block: Defaults, keys: Iterable[str]) -> dict[str, Any]:
    """Return the settings that these keys of a block set, as `TargetSettings` has them."""
    values: dict[str, Any] = {
        "quiet": tuple(quiet.window for quiet in block.quiet or ()),
        "digest": block.digest.digest if block.digest else None,
        "urgent": tuple(block.urgent or ()),
        "burst": block.burst or 0,
        "burst_longest": block.burst_longest or TargetSettings().burst_longest_seconds,
        "locale": block.locale,
        "unsubscribe": block.unsubscribe,
        "private": bool(block.private),
    }
    return {f"{key}_seconds" if key.startswith("burst") else key: values[key] for key in keys}


class TargetBlock(Defaults):
    """A place to send messages to. The address is an Apprise URL: better `env:NAME` or `file:PATH` than itself."""

    model_config = ConfigDict(json_schema_extra={"dependentRequired": {"heartbeat": ["role"]}})

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

    def mistake_of_bursts(self, defaults: Defaults) -> tuple[str, str] | None:
        """Return the key that is wrong and the reason, where a message would wait for longer than it may."""
        burst, longest = _either(self.burst, defaults.burst), _either(self.burst_longest, defaults.burst_longest)
        if not burst or longest is None or burst <= longest:
            return None
        key = "burst" if self.burst_longest is None else "burst_longest"
        return key, f"burst ({burst} s) is more than burst_longest ({longest} s); no message waits longer than that"

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

    # An index holds no entry of over 2,704 bytes.
    name: str = Field(max_length=500)
    to: SomeNames
    kinds: Kinds = []
    services: Names = []
    games: Names = []
    organizations: Names = []
    channels: Names = []
    lists: Names = []
    categories: Names = []
    platforms: Names = []
    require: Words = []
    block: Words = []
    min_minutes: int | None = Field(default=None, ge=0)
    max_minutes: int | None = Field(default=None, ge=0)
    no_subscriptions: bool = False
    rewards: Rewards = []
    linked: bool | None = None
    followed_games: bool = False
    followed_channels: bool = False
    only_live: bool = False
    languages: Languages = []
    no_reruns: bool = False
    library: LibraryWords = []
    library_except: LibraryWords = []
    my_platforms: bool = False

    @property
    def conditions(self) -> Conditions:
        """The conditions as the database keeps them."""
        return conditions_from_json(self.model_dump(exclude={"name", "to"}))


class FollowBlock(Block):
    """What to watch: channels, categories with their most watched streams, games, a list of games, or all drops."""

    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [{"required": [key]} for key in ("channels", "categories", "games", "lists", "drops")]
        }
    )

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


def json_schema(settings: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the JSON Schema of a rules file, for editors that complete and check TOML.

    `settings` are the schemas of settings, by their names: they may stand in the same file.
    """
    schema = Rules.model_json_schema()
    properties = {**schema["properties"], **(settings or {})}
    return {**schema, "$schema": SCHEMA_ID, "title": "Lootwire's rules", "properties": properties}


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


def _digest_of_line(line: object, forms: str) -> dict[str, Any]:
    if isinstance(line, str) and line.strip().lower() == "none":
        return {"every": "none"}
    match = _DIGEST.fullmatch(line.strip().lower()) if isinstance(line, str) else None
    if match is None:
        raise ValueError(f"must be {forms}")
    every = {"hourly": "hour", "daily": "day", "weekly": "week"}[match[1]]
    at = f"00{match[3]}" if match[3] and match[3].startswith(":") else match[3]
    usual = "00:00" if every == "hour" else "08:00"
    return {"every": every, "at": at or usual, **({"day": match[2][:3]} if match[2] else {})}
