"""Every parser that reads what others wrote, each with real inputs to begin from and the errors that it may raise.

A parser that raises anything else than an error of ours, or lets through what PostgreSQL cannot keep, is at fault.
"""

import contextlib
import gzip
import io
import lzma
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec
import typer
import zstandard
from pydantic import SecretStr

from feeds.sanitise import foreign_html, html_line, one_line, safe_url
from models.details import (
    EventDetail,
    detail_from_json,
)
from models.due import is_due
from models.errors import LootwireError
from models.events import EventKind
from models.periods import in_words
from models.words import feed_summary, message_facts, title
from models.words.addresses import message_address
from notifiers.view import EventText, view_entry
from pipeline.channels.eventsub.messages import Notification, Reconnect, Revocation, read_body, read_frame
from pipeline.channels.eventsub.notifications import channel_of, read_event
from pipeline.channels.eventsub.session import with_keepalive
from pipeline.channels.eventsub.signature import sign, verify
from pipeline.channels.following.lists import read_list
from pipeline.channels.following.names import parse_name
from pipeline.drops.compare import compare as compare_campaigns
from pipeline.drops.deadlines import deadlines
from pipeline.drops.details import badge_detail, campaign_detail, reward_detail
from pipeline.drops.records import CampaignRecord, RewardCampaignRecord
from pipeline.drops.sources.badges import Badges
from pipeline.drops.sources.chzzk import _numbers, _place
from pipeline.drops.sources.dashboard import TAKEN_IN, _known_hashes, _memory, _wanted
from pipeline.drops.sources.dashboard_campaigns import Campaigns, DashboardCampaigns, DashboardRewards
from pipeline.drops.sources.mirror import _read_times
from pipeline.errors import InvalidItem, SourceChanged, SourceError
from pipeline.fetch.addresses import PUBLIC, checked
from pipeline.fetch.http import Reply, conditional, parse_retry_after
from pipeline.fetch.limits import check_values
from pipeline.fetch.mending import mend, readable
from pipeline.fetch.shapes import UNREADABLE
from pipeline.games.finding.names import read_games, read_name
from pipeline.games.mirror.state import read_state
from pipeline.games.records import StoredRelease
from pipeline.games.releases.compare import compare as compare_releases
from pipeline.games.sources.links import _is_due, read_tries
from pipeline.games.sources.mirror import moved
from pipeline.games.sources.wanted import LOOK_EVERY, _time
from pipeline.games.sources.webhooks import is_igdb, read_hint
from pipeline.importer.archives import DAMAGED, Archive, archive_entries, archive_kind, look_through, start_of
from pipeline.importer.entries import Entry
from pipeline.importer.payloads import Clock, lines_of, understand
from pipeline.importer.streams import unpack
from pipeline.importer.text import as_utf8
from pipeline.importer.times import time_parser
from pipeline.ingest.source import ListSource, Validators
from pipeline.library.formats import recognise
from pipeline.library.records import ReadOptions
from pipeline.programs.pictures import picture_type
from pipeline.runtime.output import parse_since
from pipeline.runtime.settings import Settings, load_settings
from pipeline.services.igdb.client import _webhooks
from pipeline.services.igdb.documents import split_documents, split_rows
from pipeline.services.igdb.igdb_requests import TimedReply
from pipeline.services.igdb.igdb_requests import error_text as igdb_error_text
from pipeline.services.igdb.parse import parse_game
from pipeline.services.twitch.graphql_answers import is_unknown_query, read_answer, split_answers
from pipeline.services.twitch.helix_requests import (
    _check_limits_of_eventsub,
    _full_in,
    _number,
    error_text,
    read_envelope,
)
from pipeline.services.twitch.helix_shapes import (
    parse_badges,
    parse_category,
    parse_channel,
    parse_followed,
    parse_stream,
    parse_user,
    parse_video,
)
from pipeline.services.twitch.records import BadgeRecord
from tests.fuzzing.seeds import (
    BADGES,
    CHANNEL_LISTS,
    CURSORS,
    DETAILS,
    ETAGS,
    FRAMES,
    GAME_LISTS,
    HELIX,
    IGDB_ERRORS,
    IGDB_HINTS,
    NAMES,
    NOW,
    PAYLOADS,
    RETRY_AFTER,
    SOURCES,
    TOMLS,
    URLS,
    VARIABLES,
    WRITTEN,
    everything,
    folder_of,
    listed,
    payloads,
    read_all,
    tars,
    with_headers,
)
from tests.hostile import zip_of
from tests.pipeline.builders import campaign, campaigns, drops
from tests.pipeline.library.formats.examples import EXAMPLES as LIBRARIES

OURS = (LootwireError,)


@dataclass(frozen=True)
class Parser:
    """A parser: what it is called here, real inputs, and the reading of one; `errors` are those that it may raise."""

    name: str
    seeds: Sequence[bytes]
    read: Callable[[bytes], object]
    errors: tuple[type[Exception], ...] = OURS


class NotStorable(AssertionError):
    """A parser let through what PostgreSQL cannot keep."""


def fault_of(parser: Parser, data: bytes) -> BaseException | None:
    """Read an input; returns what the parser raised that is no error of ours, None where all is well."""
    try:
        parser.read(data)
    except parser.errors:
        return None
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what we look for
        return error
    return None


def all_parsers() -> dict[str, Parser]:
    """Return every parser by its name."""
    parsers = [*_of_sources(), *_of_services(), *_of_eventsub(), *_of_files(), *_of_people(), *_of_ours()]
    return {parser.name: parser for parser in parsers}


def _of_sources() -> Iterator[Parser]:
    gql = [path for path in PAYLOADS.glob("twitch_gql/*/*.json") if "expected" not in path.name]
    for source in SOURCES:
        yield Parser(source.name, payloads(folder_of(source.name)), _by_source(source))
    yield Parser("mirror: times", [with_headers(data) for data in payloads("twitch_drops")], _mirror_times)
    yield Parser("dashboard: campaigns", read_all(gql), _by_source(DashboardCampaigns()))
    yield Parser("dashboard: rewards", read_all(gql), _by_source(DashboardRewards()))
    yield Parser("dashboard: details", read_all(gql), _by_source(Campaigns()))
    yield Parser("graphql", read_all(gql), _graphql)
    yield Parser("badges", BADGES, _by_source(Badges()))


def _of_services() -> Iterator[Parser]:
    yield Parser("helix", HELIX, _helix)
    yield Parser("igdb: pages", [b"[" + b",".join(payloads("igdb")) + b"]", *listed("igdb")], _igdb_page)
    yield Parser("igdb: a game", payloads("igdb"), lambda data: storable(parse_game(data)))
    yield Parser("igdb: errors", IGDB_ERRORS, _igdb_error)
    yield Parser("igdb: webhooks", IGDB_HINTS, _igdb_webhook)
    yield Parser("retry-after", RETRY_AFTER, lambda data: parse_retry_after(_header(data), NOW))
    yield Parser("validators", ETAGS, _validators)
    yield Parser("mended JSON", [*payloads("twitch_drops"), *payloads("kick_drops")], _mended)
    yield Parser("addresses", URLS, _address)
    yield Parser("pictures", [b"RIFF\0\0\0\0WEBPVP8 ", b"\xff\xd8\xff\xe0", b"GIF89a", b"<svg/>"], picture_type)


def _of_eventsub() -> Iterator[Parser]:
    yield Parser("eventsub: frames", FRAMES, _frame)
    yield Parser("eventsub: bodies", FRAMES, _body)
    yield Parser("eventsub: signatures", [b"id\n2031-03-04T12:00:00.123456789Z\nsha256=0a\n{}"], _signature)


def _of_files() -> Iterator[Parser]:
    whole = drops(*campaigns("a", "b"), campaign("c", game_id="7002"))
    packed = [gzip.compress(whole), lzma.compress(whole), zstandard.compress(whole)]
    yield Parser("files: payloads", everything(), _payload_of_a_file)
    yield Parser("files: compressed", packed, lambda data: check_values(unpack(data)), (*OURS, *DAMAGED))
    yield Parser("files: zip", [zip_of({"a.json": whole, "2031-03-04.json": b"[]"})], _archive)
    yield Parser("files: tar", tars(whole), _archive)
    yield Parser("files: names", NAMES, _time_in_a_name)
    yield Parser("files: git", [b"1772366400 0a1b\n", b"0a1b blob 3\nabc\n", b"0a1b missing\n"], _git)


def _of_people() -> Iterator[Parser]:
    yield Parser("lists of channels", CHANNEL_LISTS, lambda data: storable(read_list(data)))
    yield Parser("lists of games", GAME_LISTS, lambda data: storable(read_games(data)))
    yield Parser("libraries", list(LIBRARIES.values()), lambda data: storable(recognise(data, "x", ReadOptions())))
    yield Parser("names", WRITTEN, _written_name)
    yield Parser("settings: toml", TOMLS, _toml)
    yield Parser("settings: variables", VARIABLES, _variables)
    yield Parser("times of commands", [b"30d", b"12h", b"2026-08-22T17:29Z"], _since, (typer.BadParameter,))


def _of_ours() -> Iterator[Parser]:
    yield Parser("our details", DETAILS, _detail)
    yield Parser("our cursors", CURSORS, _cursor)


def storable(value: object) -> None:
    """Raise `NotStorable` for a record with a text, a number or a time that PostgreSQL cannot keep."""
    waiting: list[Any] = [value]
    while waiting:
        part = waiting.pop()
        match part:
            case str():
                _check_text(part)
            case bool() | None:
                pass
            case int() if not -(2**63) <= part < 2**63:
                raise NotStorable(f"a number that no column holds: {part}")
            case datetime() if part.tzinfo is None:
                raise NotStorable(f"a time without a zone: {part}")
            case msgspec.Struct():
                waiting += [getattr(part, name) for name in part.__struct_fields__]
            case Mapping():
                # JSON, which takes any number.
                waiting += [each for pair in part.items() for each in pair if not isinstance(each, int)]
            case tuple() | list() | frozenset() | set():
                waiting += part
            case _:
                pass


def _check_text(text: str) -> None:
    if "\0" in text:
        raise NotStorable(f"a text with NUL: {text[:80]!r}")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise NotStorable(f"a text with half of a pair: {text[:80]!r}") from error


def _by_source(source: ListSource) -> Callable[[bytes], None]:
    """Return the reading of an answer as a fetch takes it in: cut into items, and each of them decoded."""

    def read(data: bytes) -> None:
        snapshot = source.split(readable(data))
        for item in snapshot.items:
            storable(source.peek_id(item))
            storable(item.group_id)
            try:
                record: Any = source.parse(item)
            except InvalidItem as error:
                storable(str(error))
                continue
            storable(record)
            _reckon(record)

    return read


def _reckon(record: Any) -> None:
    """Do what the pure core does with every record that a parser lets through: none of it may stop a snapshot."""
    match record:
        case CampaignRecord():
            deadlines(record, NOW)
            compare_campaigns(_KNOWN, record)
            compare_campaigns(record, _KNOWN)
            _show(EventKind.CAMPAIGN_CHANGED, campaign_detail(record))
        case RewardCampaignRecord():
            _show(EventKind.REWARD_ADDED, reward_detail(record))
        case BadgeRecord():
            _show(EventKind.BADGE_ADDED, badge_detail(record))
        case _:
            pass


def _show(kind: EventKind, detail: EventDetail) -> None:
    title(kind, "twitch", detail, NOW)
    list(feed_summary(kind, detail))
    list(message_facts(kind, "twitch", detail))
    view_entry(EventText(kind=kind, title="x", occurred_at=NOW, service="twitch", detail=detail))


def _as_reply(data: bytes) -> Reply:
    """Return an answer whose headers stand before its body, as a server could send them."""
    head, _, body = data.partition(b"\n\n")
    status, *lines = head.split(b"\n")
    pairs = [line.partition(b":")[::2] for line in lines if line.partition(b":")[0].isalnum() or b"-" in line]
    sendable = [(name.strip(), _sendable(value)) for name, value in pairs if _is_name(name.strip())]
    return Reply(int(status) if status in {b"200", b"304", b"429"} else 200, httpx.Headers(sendable), body)


def _is_name(name: bytes) -> bool:
    return bool(name) and name.replace(b"-", b"").isalnum()


def _sendable(value: bytes) -> bytes:
    """Return what of a header's value the HTTP library lets through."""
    return bytes(byte for byte in value if byte >= 0x20 and byte != 0x7F).strip()


def _header(data: bytes) -> str:
    return httpx.Headers([(b"x", _sendable(data))])["x"]


def _mirror_times(data: bytes) -> None:
    storable(list(_read_times(_as_reply(data))))


def _graphql(data: bytes) -> None:
    for raw in split_answers(data):
        is_unknown_query(raw)
        answer = read_answer(raw)
        storable([answer.operation, answer.viewer_id])


def _helix(data: bytes) -> None:
    reply = _as_reply(data)
    storable(error_text(reply))
    _full_in(reply)
    _number(reply, "Ratelimit-Remaining")
    with contextlib.suppress(SourceError):
        _check_limits_of_eventsub(reply)
    envelope = read_envelope(reply, "streams")
    _ = envelope.cursor
    for row in envelope.data:
        for parse in (
            parse_user,
            parse_stream,
            parse_channel,
            parse_followed,
            parse_category,
            parse_video,
            parse_badges,
        ):
            try:
                storable(parse(row))
            except (InvalidItem, *UNREADABLE):
                continue


def _igdb_page(data: bytes) -> None:
    split_rows(data)
    for document in split_documents(data).documents:
        storable(document.igdb_id)
        try:
            record = parse_game(document.raw).record
        except InvalidItem:
            continue
        storable(record)
        stored = [StoredRelease(release, NOW) for release in record.releases]
        news = [*compare_releases([], stored, NOW), *compare_releases(stored, [], NOW)]
        for change in news:
            in_words(str(change.new or change.old))


def _igdb_error(data: bytes) -> None:
    storable(igdb_error_text(Reply(400, {}, data)))
    _webhooks(TimedReply(Reply(200, {}, data), NOW, 0.0))


def _igdb_webhook(data: bytes) -> None:
    is_igdb(data.decode("latin-1"), SecretStr("x"))
    storable(read_hint("games", "create", data))


def _validators(data: bytes) -> None:
    value = _header(data)
    httpx.Request("GET", "http://127.0.0.1:9", headers=conditional(value, value))


def _mended(data: bytes) -> None:
    mended = mend(data)
    if mended is not None:
        msgspec.json.decode(mended, type=msgspec.Raw)


def _address(data: bytes) -> None:
    text = data.decode(errors="replace")
    safe_url(text)
    message_address(text)
    foreign_html(text)
    html_line(one_line(text))
    target = checked(text, PUBLIC)
    checked(text, PUBLIC, led_by=target)


def _frame(data: bytes) -> None:
    frame = read_frame(data)
    _kept(frame)
    if isinstance(frame, Reconnect):
        urlsplit(frame.url)


def _body(data: bytes) -> None:
    start = data.find(b'"payload":')
    body = data[start + 10 : -1] if start >= 0 else data
    for kind in ("notification", "revocation", "webhook_callback_verification", "other"):
        try:
            message = read_body(kind, "0a1b", NOW, body)
        except InvalidItem:
            continue
        _kept(message)


def _kept(message: object) -> None:
    """Check what rows keep of a message."""
    match message:
        case Notification():
            storable(message)
            _event(message)
        case Revocation(subscription=subscription):
            storable([subscription.type, subscription.condition, subscription.status])
        case _:
            pass


def _event(message: Notification) -> None:
    channel_of(message.event)
    for kind in ("stream.online", "stream.offline", "channel.update", "conduit.shard.disabled"):
        version = "2" if kind == "channel.update" else "1"
        try:
            storable(read_event(kind, version, message.event, message.sent_at, None))
        except InvalidItem:
            continue


def _signature(data: bytes) -> None:
    message_id, timestamp, signature, body = (data.split(b"\n", 3) + [b""] * 4)[:4]
    # As a web server gives headers: any byte is a character.
    words = [part.decode("latin-1") for part in (message_id, timestamp, signature)]
    mine = sign("s3cret-s3cret", words[0], words[1], body)
    for signed in (words[2], mine):
        try:
            verify("s3cret-s3cret", message_id=words[0], timestamp=words[1], signature=signed, body=body, now=NOW)
        except LootwireError:
            continue


def _payload_of_a_file(data: bytes) -> None:
    entry = Entry(path="a/b.json", moment=None, modified_at=NOW, read=lambda: data)
    payload = as_utf8(data)
    check_values(payload)
    try:
        parts = [(entry, understand(payload, entry.path, SOURCES))]
    except SourceChanged:
        lines = list(lines_of(entry, payload))
        if not lines:
            raise
        parts = [(each, understand(line, each.path, SOURCES)) for each, line in lines]
    for each, understood in parts:
        storable(Clock().taken_at(each, understood, NOW))
        for source, snapshot in understood.parts:
            for item in snapshot.items:
                try:
                    storable(source.parse(item))
                except InvalidItem:
                    continue


def _archive(data: bytes) -> None:
    path = _scratch()
    path.write_bytes(data)
    try:
        start, raw = start_of(path)
    except DAMAGED:
        return
    kind = archive_kind(start, raw)
    if kind is None:
        return
    looked = look_through("a.tar", path, kind, time_parser())
    entries = archive_entries(looked, time_parser(), spool=False) if isinstance(looked, Archive) else [looked]
    for entry in entries:
        storable([entry.path, entry.modified_at])
        try:
            entry.read()
        except DAMAGED:
            continue


def _scratch() -> Path:
    """Return a file of this process, in memory where the machine has room for that."""
    folder = Path("/dev/shm")
    return (folder if folder.is_dir() else Path(tempfile.gettempdir())) / f"lootwire-fuzz-{os.getpid()}"


def _time_in_a_name(data: bytes) -> None:
    name = data.decode("utf-8", "surrogateescape")
    moment = time_parser()(name)
    storable(moment)
    time_parser("%Y-%m-%d")(name)
    try:
        time_parser(name)
    except LootwireError:
        return


def _git(data: bytes) -> None:
    from pipeline.importer.history import _header as header

    try:
        header(io.BytesIO(data))
    except EOFError:
        return


def _written_name(data: bytes) -> None:
    text = data.decode(errors="replace")
    storable([parse_name(text), read_name(text), read_name(text, number_is_id=True), in_words(text)])


def _toml(data: bytes) -> None:
    path = _scratch()
    path.write_bytes(data)
    _usable(load_settings({}, env_file=path.with_suffix(".no-such-file"), toml_file=path).settings)


def _variables(data: bytes) -> None:
    path = _scratch()
    path.write_bytes(data)
    _usable(load_settings({}, env_file=path, toml_file=path.with_suffix(".no-such-file")).settings)
    text = data.decode("utf-8", "surrogateescape").replace("\0", "")
    load_settings(
        dict(line.partition("=")[::2] for line in text.splitlines() if "=" in line),
        env_file=path.with_suffix(".no-such-file"),
        toml_file=path.with_suffix(".no-such-file"),
    )


def _usable(settings: Settings) -> None:
    """Check that every address can be called as it is set."""
    for url in (settings.kick_url, settings.drops_mirror_url, settings.gql_url, settings.igdb_url, settings.public_url):
        httpx.URL(url + "/x")
    with_keepalive(settings.eventsub_url)


def _since(data: bytes) -> None:
    storable(parse_since(data.decode(errors="replace"), NOW))


def _stored(data: bytes) -> Any:
    """Return JSON as PostgreSQL would have kept it, which is more than we would write."""
    try:
        value = msgspec.json.decode(data)
        storable(value)
    except (*UNREADABLE, NotStorable):
        return None
    return value


def _detail(data: bytes) -> None:
    value = _stored(data)
    if not isinstance(value, dict):
        return
    for kind in _KINDS:
        try:
            detail = detail_from_json(kind, value)
        except msgspec.ValidationError:
            continue
        list(feed_summary(kind, detail))
        list(message_facts(kind, "twitch", detail))
        view_entry(EventText(kind=kind, title="x", occurred_at=NOW, service="twitch", detail=detail))


_KNOWN = CampaignRecord(service="twitch", external_id="x", name="X", start_at=NOW, end_at=NOW + timedelta(days=3))
_KINDS = (
    EventKind("campaign.changed"),
    EventKind("stream.offline"),
    EventKind("release.moved"),
    EventKind("source.failing"),
)


def _numbers_of_chzzk(value: dict[str, Any]) -> None:
    place = _place(value)
    _numbers(place.highest or 1, place.older_from or 1, place.running)


def _cursor(data: bytes) -> None:
    value = _stored(data)
    if not isinstance(value, dict):
        return
    state = read_state(value)
    moved(state, None, NOW)
    for tried in read_tries(value).values():
        _is_due(tried, NOW)
    _numbers_of_chzzk(value)
    validators = Validators(etag=TAKEN_IN, cursor=value)
    _known_hashes(validators)
    _wanted({}, {}, 0)
    _memory(validators)
    looked_at = _time(value.get("looked_at"))
    if looked_at is not None:
        is_due(looked_at + LOOK_EVERY, NOW, LOOK_EVERY)
