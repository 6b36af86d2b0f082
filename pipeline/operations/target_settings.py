"""Settings of targets as people give them, checked as those of a rules file are."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, UnsetType
from pydantic import ValidationError

from models.errors import WrongFields
from models.mistakes import reason_of
from notifiers.rules.shapes import Defaults, HeartbeatBlock, settings_of
from notifiers.timing.settings import Day

_CLOCK = "([01]?[0-9]|2[0-3]):[0-5][0-9]"
TimeOfDay = Annotated[str, msgspec.Meta(pattern=f"^{_CLOCK}$", description="By the target's clock: 07:00, 22:30.")]
EndOfHours = Annotated[str, msgspec.Meta(pattern=f"^({_CLOCK}|24:00)$", description="By the target's clock: 07:00.")]
Seconds = Annotated[int, msgspec.Meta(ge=0, le=86_400)]
# What fields are called in a rules file, where that is not their name.
_IN_RULES = {"burst_seconds": "burst", "burst_longest_seconds": "burst_longest"}
_NAMES = {word: name for name, word in _IN_RULES.items()}


class Hours(msgspec.Struct, frozen=True, kw_only=True):
    """Hours of a day, over midnight where they end before they begin.

    `days` are those on which they begin; every day where there is none.
    """

    begins: TimeOfDay
    ends: EndOfHours
    days: list[Day] = []


class DigestTime(msgspec.Struct, frozen=True, kw_only=True):
    """When one message comes for all of an hour, a day or a week.

    Of an hourly one the minutes of `at` count; `day` is for a weekly one.
    """

    every: Literal["hour", "day", "week"] = "day"
    at: TimeOfDay = "08:00"
    day: Day = "mon"


class HeartbeatTime(msgspec.Struct, frozen=True, kw_only=True):
    """When an operator's target is told that all goes on, each day or each week."""

    every: Literal["day", "week"] = "day"
    at: TimeOfDay = "08:00"
    day: Day = "mon"


class SettingsChange(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of a target that change; those that are not given stay as they are.

    `quiet` are hours without messages, `urgent` the kinds that neither they nor a digest hold. `burst_seconds` gathers
    what comes within so many seconds of each other, for `burst_longest_seconds` at most. `locale` is the language of
    dates as CLDR names it: en, de, pt_BR. `unsubscribe` is where mails are unsubscribed from, "" for nowhere. Only the
    owner allows addresses in private networks (`private`) and has a `heartbeat`.
    """

    quiet: list[Hours] | UnsetType = UNSET
    digest: DigestTime | UnsetType | None = UNSET
    urgent: list[str] | UnsetType = UNSET
    burst_seconds: Seconds | UnsetType = UNSET
    burst_longest_seconds: Seconds | UnsetType = UNSET
    locale: str | UnsetType = UNSET
    unsubscribe: str | UnsetType = UNSET
    private: bool | UnsetType = UNSET
    heartbeat: HeartbeatTime | UnsetType | None = UNSET


def read_change(change: SettingsChange) -> dict[str, Any]:
    """Return what a change sets, as `TargetSettings` has it; raises `WrongFields` below `/settings`."""
    given = {_IN_RULES.get(name, name): value for name, value in msgspec.to_builtins(change).items()}
    try:
        return read_settings(given)
    except WrongFields as error:
        raise WrongFields({_below(pointer): reason for pointer, reason in error.fields.items()}) from error


def read_settings(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the keys of a rules file's block set of a target, as `TargetSettings` has it.

    Raises `WrongFields` by those keys: `/quiet/0/begins`.
    """
    block = {key: value for key, value in given.items() if key != "heartbeat"}
    try:
        settings = settings_of(Defaults.model_validate(block), block)
    except ValidationError as error:
        raise _wrong(error) from None
    if (heartbeat := given.get("heartbeat")) is not None:
        try:
            settings["heartbeat"] = HeartbeatBlock.model_validate(heartbeat).digest
        except ValidationError as error:
            raise _wrong(error, "heartbeat") from None
    elif "heartbeat" in given:
        settings["heartbeat"] = None
    return settings


def _wrong(error: ValidationError, *above: str) -> WrongFields:
    """Return what is wrong, each with its pointer; the first of several about one field."""
    fields: dict[str, str] = {}
    for problem in error.errors():
        fields.setdefault("".join(f"/{part}" for part in (*above, *problem["loc"])), reason_of(problem))
    return WrongFields(fields)


def _below(pointer: str) -> str:
    first, *rest = pointer.split("/")[1:]
    return "/".join(["/settings", _NAMES.get(first, first), *rest])
