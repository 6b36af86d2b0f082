"""Read from a file's name when its payload was taken."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec

from models.errors import UsageError

# 2025-09-20T010448Z, 2026-08-21_00-26-05, 20250920T0104, 2025-09-20: always UTC. Not inside a longer number or word.
_NAMED = re.compile(
    r"(?<![0-9A-Za-z])(?P<Y>20\d\d)[-_.]?(?P<m>[01]\d)[-_.]?(?P<d>[0-3]\d)"
    r"(?:[T_ -]?(?P<H>[0-2]\d)[-_:.h]?(?P<M>[0-5]\d)(?:[-_:.m]?(?P<S>[0-5]\d))?(?:\.\d+)?Z?)?(?![0-9])"
)
_EPOCH = re.compile(r"(?<![0-9A-Za-z])(1[0-9]{9})(?![0-9A-Za-z])")
_DIRECTIVES = {
    "%Y": r"\d{4}", "%y": r"\d{2}", "%m": r"\d{1,2}", "%d": r"\d{1,2}", "%H": r"\d{1,2}", "%M": r"\d{1,2}",
    "%S": r"\d{1,2}", "%f": r"\d{1,6}", "%j": r"\d{1,3}", "%b": r"[A-Za-z]+", "%B": r"[A-Za-z]+",
    "%z": r"(?:Z|[+-]\d{2}:?\d{2})", "%p": r"[AaPp][Mm]", "%I": r"\d{1,2}", "%%": "%",
}  # fmt: skip


class Moment(msgspec.Struct, frozen=True):
    """A time in UTC as a name tells it: exact (`earliest` and `latest` agree), or only the day."""

    earliest: datetime
    latest: datetime


TimeParser = Callable[[str], Moment | None]


def time_parser(pattern: str | None = None) -> TimeParser:
    """Return a parser of times in names: common forms, or a `strptime` pattern searched for in the name.

    Raises `LootwireError` for a pattern that cannot tell a day.
    """
    return _common if pattern is None else _by_pattern(pattern)


def _common(name: str) -> Moment | None:
    for match in reversed(list(_NAMED.finditer(name))):
        fields = {key: int(value) for key, value in match.groupdict().items() if value is not None}
        try:
            day = datetime(fields["Y"], fields["m"], fields["d"], tzinfo=UTC)
            if "H" not in fields:
                return Moment(day, day + timedelta(days=1, microseconds=-1))
            at = day.replace(hour=fields["H"], minute=fields["M"], second=fields.get("S", 0))
        except ValueError:
            continue
        return Moment(at, at)
    if epoch := _EPOCH.search(name):
        at = datetime.fromtimestamp(int(epoch[1]), UTC)
        return Moment(at, at)
    return None


def _by_pattern(pattern: str) -> TimeParser:
    parts = re.split(r"(%.)", pattern)
    unknown = [part for part in parts if part.startswith("%") and part not in _DIRECTIVES]
    if unknown or not any(day in pattern for day in ("%d", "%j")):
        raise UsageError(
            f"--time {pattern!r}: {'unknown ' + unknown[0] if unknown else 'needs a day (%d)'}; "
            "write it like %Y-%m-%dT%H%M%SZ"
        )
    expression = re.compile("".join(_DIRECTIVES.get(part) or re.escape(part) for part in parts))
    exact = "%H" in pattern or "%I" in pattern

    def parse(name: str) -> Moment | None:
        for match in expression.finditer(name):
            try:
                at = datetime.strptime(match[0], pattern)  # noqa: DTZ007 - the zone is added below
            except ValueError:
                continue
            at = at.replace(tzinfo=at.tzinfo or UTC).astimezone(UTC)
            return Moment(at, at if exact else at + timedelta(days=1, microseconds=-1))
        return None

    return parse
