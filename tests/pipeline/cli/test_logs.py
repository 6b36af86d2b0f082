"""Log lines: one record, one line; calm for people, complete for programs."""

import io
import json
import logging
from collections import Counter

import pytest

from pipeline.runtime.logs import LogFormat, configure_logging


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(logging_as_before: None) -> Terminal:
    stream = Terminal()
    configure_logging("INFO", stream)
    return stream


@pytest.fixture
def pipe(logging_as_before: None) -> io.StringIO:
    stream = io.StringIO()
    configure_logging("INFO", stream)
    return stream


def test_a_terminal_gets_the_time_the_message_and_what_came_with_it(terminal: Terminal) -> None:
    extra = {"source": "kick.drops", "events": Counter({"campaign.added": 3}), "error": None}
    logging.getLogger("tasks.fetch").info("fetched", extra=extra)
    assert terminal.getvalue()[8:] == " fetched  source=kick.drops campaign.added=3\n"


def test_a_text_from_outside_stays_in_its_line_and_moves_no_cursor(terminal: Terminal) -> None:
    logging.getLogger("tasks.fetch").warning("one\ntwo\x1b[2J\a three\u2028four")
    assert terminal.getvalue().count("\n") == 1
    assert "\x1b" not in terminal.getvalue()
    assert terminal.getvalue()[8:].startswith(" WARNING: one two [2J  three four")


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_log_line_has_anything_that_a_terminal_obeys(logging_as_before: None, form: LogFormat) -> None:
    stream = io.StringIO()
    configure_logging("INFO", stream, form=form)
    try:
        int("\x1b[31m\u202e\x9b")
    except ValueError:
        logging.getLogger("tasks.fetch").exception("\x9b31m", extra={"source": "\u202e\u2028"})
    assert all(c.isprintable() or c == "\n" for c in stream.getvalue())


def test_a_pipe_gets_one_object_a_line(pipe: io.StringIO) -> None:
    logging.getLogger("tasks.fetch").warning("one\ntwo", extra={"source": "kick.drops"})
    [line] = pipe.getvalue().splitlines()
    assert json.loads(line) | {"at": ""} == {
        "at": "",
        "level": "warning",
        "logger": "tasks.fetch",
        "message": "one\ntwo",
        "source": "kick.drops",
    }


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("stream", [Terminal(), io.StringIO()], ids=["terminal", "pipe"])
def test_the_format_may_be_set_whatever_the_stream_is(
    logging_as_before: None, form: LogFormat, stream: io.StringIO
) -> None:
    configure_logging("INFO", stream, form=form)
    logging.getLogger("tasks.fetch").info("fetched")
    last = stream.getvalue().splitlines()[-1]
    assert last.endswith(" fetched") if form == "text" else json.loads(last)["message"] == "fetched"


def test_an_error_of_ours_keeps_its_traceback(pipe: io.StringIO) -> None:
    try:
        int("a fault")
    except ValueError:
        logging.getLogger("tasks.fetch").exception("it failed")
    assert "Traceback" in json.loads(pipe.getvalue())["error"]


@pytest.mark.parametrize("name", ["celery.app.trace", "celery.worker.strategy", "kombu", "httpx", "alembic", "apprise"])
def test_what_our_own_lines_say_better_is_not_said(pipe: io.StringIO, name: str) -> None:
    logging.getLogger(name).info("received")
    assert pipe.getvalue() == ""


@pytest.mark.usefixtures("logging_as_before")
@pytest.mark.parametrize("name", ["tasks.fetch", "kombu", "httpx", "celery.worker"])
def test_where_only_errors_are_wanted_no_library_warns(logging_as_before: None, name: str) -> None:
    stream = io.StringIO()
    configure_logging("ERROR", stream)
    logging.getLogger(name).warning("requeuing")
    assert not stream.getvalue()


def test_not_even_debugging_shows_the_addresses_that_messages_go_to() -> None:
    stream = io.StringIO()
    configure_logging("DEBUG", stream)
    logging.getLogger("apprise").debug("Loaded JSON URL: json://user:hunter2@there")
    logging.getLogger("celery.worker.strategy").debug("received")
    assert [json.loads(line)["message"] for line in stream.getvalue().splitlines()] == ["received"]
