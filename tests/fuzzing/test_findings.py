"""Inputs at which fuzzing found a parser at fault: each of them is read now, or refused with an error of ours."""

import json
from datetime import datetime
from typing import Any

import msgspec
import pytest

from models.words.units import moment
from pipeline.channels.eventsub.messages import Welcome, read_frame
from pipeline.drops.deadlines import deadlines
from pipeline.drops.sources.mirror import TwitchDrops
from pipeline.errors import InvalidItem
from pipeline.fetch.http import conditional
from pipeline.fetch.shapes import required_utc
from pipeline.services.twitch.app_token import _Granted
from tests.fuzzing.parsers import all_parsers, fault_of
from tests.fuzzing.seeds import MINUTE, NOW
from tests.pipeline.builders import campaign, drops
from tests.pipeline.world import NOWHERE

GO_ZERO, NEVER = "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"


def frame(kind: str, payload: dict[str, Any]) -> bytes:
    at = "2031-03-04T12:00:00Z"
    metadata = {"message_id": "0a1b", "message_type": kind, "message_timestamp": at}
    return json.dumps({"metadata": metadata, "payload": payload}).encode()


def notification(**subscription: Any) -> bytes:
    transport = {"method": "conduit"}
    fields = {"id": "s", "status": "enabled", "type": "stream.online", "version": "1", "condition": {"user": "2"}}
    return frame("notification", {"subscription": fields | {"transport": transport} | subscription, "event": {}})


def session(kind: str, **fields: Any) -> bytes:
    return frame(f"session_{kind}", {"session": {"id": "x", **fields}})


def headers(**of_answer: str) -> bytes:
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in of_answer.items()]
    return "\n".join(["200", *lines, "", '{"data":[]}']).encode()


FINDINGS: dict[str, tuple[str, bytes]] = {
    "a validator that is no ASCII": ("validators", b'W/"\xff"'),
    "a date with a day of thirty digits": ("helix", headers(Ratelimit_Reset="1", Date=f"Tue, {10**30} Mar 2031")),
    "a keepalive of ages": ("eventsub: frames", session("welcome", keepalive_timeout_seconds=1e308)),
    "a keepalive before now": ("eventsub: frames", session("welcome", keepalive_timeout_seconds=-1e308)),
    "an address that is none": ("eventsub: frames", session("reconnect", reconnect_url="wss://[/")),
    "an address without a host": ("eventsub: frames", session("reconnect", reconnect_url="wss:///x")),
    "a type with NUL": ("eventsub: frames", notification(type="stream.\0")),
    "a condition with half of a pair": ("eventsub: frames", notification(condition={"user": "\ud800"})),
    "a campaign without an end, as Go writes it": ("twitch.drops", drops(campaign("x", endAt=GO_ZERO))),
    "a campaign that never begins": ("twitch.drops", drops(campaign("x", startAt=NEVER, endAt=NEVER))),
    "channels with half of a pair": ("lists of channels", b'["\\udc00x"]'),
    "channels with NUL": ("lists of channels", b"ann\0\n"),
    "games with half of a pair": ("lists of games", b'["\\ud800x"]'),
    "games with NUL": ("lists of games", b'{"games":[{"title":"\\u0000x","platforms":["\\u0000"]}]}'),
    "settings nested a thousand deep": ("settings: toml", b"x = " + b"[" * 2000),
    "a port of five thousand digits": ("settings: toml", b"http_port = " + b"9" * 5000),
    "variables in Latin-1": ("settings: variables", "LOOTWIRE_LOG_LEVEL=Größe\n".encode("latin-1")),
    "the home of nobody": ("settings: variables", b"LOOTWIRE_DATA_DIR=~nobody-of-that-name/x\n"),
    "an address with half of a bracket": ("settings: variables", b"LOOTWIRE_EVENTSUB_URL=wss://[/\n"),
    "an address that no machine has": ("settings: variables", b"LOOTWIRE_KICK_URL=http://127.0.0.999\n"),
    "a host that is a time": ("settings: variables", b"LOOTWIRE_HTTP_HOST=2026-03-04T05:06:07\n"),
    "a place of CHZZK's that leads elsewhere": ("our cursors", b'{"highest":"x","running":["x"],"version":"../../x"}'),
    "hashes that are a list": ("our cursors", b'{"hashes":[1],"asked":{"a":null}}'),
    "a time without a zone": ("our cursors", b'{"looked_at":"2031-03-04T12:00:00","swept_to":"2031-03-04T12:00:00"}'),
    "a time that is none": ("our cursors", b'{"looked_at":"x","tried":{"1":[1,"2031-03-04T12:00:00"]}}'),
    "an end beyond the calendar": ("our details", b'{"end_at":"9999-12-31T23:59:59-23:59"}'),
}


@pytest.mark.parametrize(("parser", "data"), FINDINGS.values(), ids=FINDINGS)
def test_what_fuzzing_found_is_read_or_refused(parser: str, data: bytes) -> None:
    assert fault_of(all_parsers()[parser], data) is None


@pytest.mark.parametrize("parser", all_parsers())
def test_the_real_inputs_of_each_parser_are_no_fault(parser: str) -> None:
    each = all_parsers()[parser]

    assert [fault for data in each.seeds if (fault := fault_of(each, data)) is not None] == []


@pytest.mark.parametrize("written", [GO_ZERO, NEVER])
def test_a_campaign_whose_times_say_nothing_is_kept_without_them(written: str) -> None:
    source = TwitchDrops(NOWHERE)
    (item,) = source.split(drops(campaign("x", startAt=written, endAt=written))).items

    record = source.parse(item)

    assert (record.start_at, record.end_at) == (None, None)
    assert deadlines(record, NOW) == {}


def test_a_time_that_must_be_told_and_says_nothing_refuses_its_item() -> None:
    with pytest.raises(InvalidItem, match="out of range"):
        required_utc(NOW.replace(year=9999))


def test_a_validator_that_cannot_be_sent_is_not() -> None:
    assert conditional('"é"', "Wed, 04 Mar 2031 12:10:00 GMT") == {"If-Modified-Since": "Wed, 04 Mar 2031 12:10:00 GMT"}


def test_a_keepalive_is_never_longer_than_may_be_asked_for() -> None:
    welcome = read_frame(session("welcome", keepalive_timeout_seconds=1e308))

    assert isinstance(welcome, Welcome)
    assert welcome.keepalive == 10 * MINUTE


def test_a_token_that_no_header_can_hold_is_no_token() -> None:
    with pytest.raises(msgspec.ValidationError, match="access_token"):
        msgspec.json.decode('{"access_token":"é","expires_in":3}'.encode(), type=_Granted)


def test_a_time_beyond_the_calendar_is_shown_as_it_was_written() -> None:
    assert moment(datetime.fromisoformat("9999-12-31T23:59:59-23:59")) == "Fri 31 Dec 9999, 23:59 UTC"
