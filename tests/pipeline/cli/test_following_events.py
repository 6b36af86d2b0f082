"""`lootwire events --follow` prints events as they come."""

import json
import signal

from pipeline.realtime.reader import beginning
from tests.pipeline.cli.operator import Operator
from tests.pipeline.realtime.test_following import append


def test_events_are_printed_as_they_come_until_a_ctrl_c(operator: Operator) -> None:
    with operator.engine.begin() as connection:
        start = str(beginning(connection))
    append(operator.engine, "before")
    with operator.start("events", "--follow", "--json", "--after", start) as process:
        assert process.stdout is not None
        first = json.loads(process.stdout.readline())
        append(operator.engine, "meanwhile")
        second = json.loads(process.stdout.readline())
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate()

    assert ["before" in first["title"], "meanwhile" in second["title"]] == [True, True]
    assert (rest, errors) == ("", "stopped\n")
    again = operator.run("events", "--follow", "--json", "--after", first["cursor"], "--limit", "1")
    assert [line["id"] for line in again.lines] == [second["id"]]


def test_what_is_no_cursor_is_refused(operator: Operator) -> None:
    wrong = operator.run("events", "--follow", "--after", "x")
    assert (wrong.code, "no cursor" in wrong.errors) == (2, True)
    alone = operator.run("events", "--after", "x")
    assert (alone.code, "--after needs --follow" in alone.errors) == (2, True)
