"""Log lines: JSON, one object a line, for a log collector; plain text for a terminal."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import IO

# What `logging` itself puts on a record; everything else came from `extra`.
# (Celery's own `data` repeats the traceback.)
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "data"}
# These say at INFO what our own summary lines say better, or more than anybody asked for.
_QUIET = ("httpx", "httpcore", "apprise", "celery.beat", "kombu", "alembic")


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
        return json.dumps(line, default=str, ensure_ascii=False)


class PlainFormatter(logging.Formatter):
    """Formats a record for people: the time, the message and what came by `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        at = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S")
        extra = " ".join(f"{key}={value}" for key, value in _extra(record).items())
        level = "" if record.levelno <= logging.INFO else f"{record.levelname}: "
        line = f"{at} {level}{record.getMessage()}" + (f"  {extra}" if extra else "")
        return line + (f"\n{self.formatException(record.exc_info)}" if record.exc_info else "")


def configure_logging(level: str, stream: IO[str] | None = None) -> None:
    """Send log lines to a stream (standard error by default), as JSON unless it is a terminal."""
    stream = stream or sys.stderr
    handler = logging.StreamHandler(stream)
    handler.setFormatter(PlainFormatter() if stream.isatty() else JsonFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def _extra(record: logging.LogRecord) -> dict[str, object]:
    return {key: value for key, value in vars(record).items() if key not in _STANDARD and not key.startswith("_")}
