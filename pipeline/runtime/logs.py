"""Log lines: JSON, one object a line, for a log collector; plain text for a terminal."""

import json
import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import IO, Literal

from models.printable import escaped, on_a_line, printable

LogFormat = Literal["auto", "text", "json"]

# What `logging` itself puts on a record; everything else came from `extra`.
# (Celery's own `data` repeats the traceback.)
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "data"}
# These say at INFO what our own summary lines say better, or more than an operator needs; Python's warnings are
# for developers, who see them as errors in the tests.
_QUIET = {
    **dict.fromkeys(("httpx", "httpcore", "apprise", "celery", "kombu", "alembic"), logging.WARNING),
    # A hint that a worker which stops gives back; ticks say the same.
    "kombu.transport.virtual.base": logging.ERROR,
    "py.warnings": logging.ERROR,
}


class JsonFormatter(logging.Formatter):
    """Formats a record as one JSON object with time (UTC), level, logger, message and what came by `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_extra(record),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return escaped(json.dumps(line, default=str, ensure_ascii=False))


class PlainFormatter(logging.Formatter):
    """Formats a record for people: the time, the message and what came by `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        at = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S")
        extra = " ".join(_shown(key, value) for key, value in _extra(record).items() if value not in (None, "", {}))
        level = "" if record.levelno <= logging.INFO else f"{record.levelname}: "
        line = f"{at} {level}{record.getMessage()}" + (f"  {extra}" if extra else "")
        line = on_a_line(line).rstrip()
        return line + (f"\n{printable(self.formatException(record.exc_info))}" if record.exc_info else "")


class LostBroker(logging.Filter):
    """Says in a line what Celery says in a hundred: that the broker went away while a task was under way.

    Its message cannot be acknowledged then. Where kombu tries all the same, through the connection that it has closed,
    the worker ends with an AttributeError (kombu 5.7); the supervisor starts it anew, and rows know what was under way.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Shorten such a record, and let every record pass."""
        error = record.exc_info[1] if record.exc_info else None
        if error is None or not record.name.startswith("celery."):
            return True
        if isinstance(error, AttributeError) and _raised_in(error) == "kombu.transport.redis":
            record.msg, record.args = "the broker went away while tasks were under way; starting anew", ()
            record.exc_info = None
        elif type(error).__name__ == "SchedulingError":
            # Beat could not send a tick; its record quotes its own stack besides.
            record.msg, record.args, record.exc_info = "%s", (error,), None
        elif isinstance(error, OSError) or type(error).__module__ == "redis.exceptions":
            record.exc_info = None
        return True


def _raised_in(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return str(trace.tb_frame.f_globals["__name__"]) if trace is not None else ""


def configure_logging(level: str, stream: IO[str] | None = None, *, form: LogFormat = "auto") -> None:
    """Send log lines to a stream (standard error by default): as text, as JSON, or as text on a terminal alone."""
    stream = stream or sys.stderr
    handler = logging.StreamHandler(stream)
    is_text = stream.isatty() if form == "auto" else form == "text"
    handler.setFormatter(PlainFormatter() if is_text else JsonFormatter())
    handler.addFilter(LostBroker())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name, least in _QUIET.items():
        logging.getLogger(name).setLevel(max(least, logging.getLevelNamesMapping()[level]))
    if level == "DEBUG":
        # Which message went where. (Not Apprise's lines, whatever the level: they hold addresses with their tokens.)
        logging.getLogger("celery").setLevel(logging.DEBUG)


def _shown(key: str, value: object) -> str:
    if isinstance(value, Mapping):
        return " ".join(f"{name}={number}" for name, number in value.items())
    return f"{key}={value}"


def _extra(record: logging.LogRecord) -> dict[str, object]:
    return {key: value for key, value in vars(record).items() if key not in _STANDARD and not key.startswith("_")}
