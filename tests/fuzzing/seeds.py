"""Real inputs of every parser, for fuzzing to begin from: recorded shapes with made-up values."""

import gzip
import io
import json
import lzma
import tarfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import zstandard

from models.details import (
    BenefitLine,
    CampaignDetail,
    DropLine,
    FieldChange,
    ReleaseDetail,
    SourceDetail,
    StreamDetail,
    StreamRecap,
)
from pipeline.drops import sources as drops
from pipeline.runtime.settings import Settings
from tests.hostile import tar_of

PAYLOADS = Path(__file__).resolve().parents[1] / "payloads"
NOW = datetime(2031, 3, 4, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


# They are asked nothing here.
SOURCES = drops.sources(Settings(), None, None)


def folder_of(source: str) -> str:
    """Return the folder of payloads that is named after a source."""
    return source.replace(".", "_")


def read_all(paths: Sequence[Path]) -> list[bytes]:
    return [path.read_bytes() for path in sorted(paths)]


def payloads(folder: str) -> list[bytes]:
    return read_all([path for path in (PAYLOADS / folder).rglob("*.json") if "expected" not in path.name])


def listed(folder: str) -> list[bytes]:
    return [b"[" + data + b"]" for data in payloads(folder)]


def everything() -> list[bytes]:
    folders = (*(folder_of(source.name) for source in SOURCES), "twitch_gql")
    seeds = [data for folder in folders for data in payloads(folder)]
    lines = b"\n".join(
        json.dumps({"firstSeen": "2031-03-04T12:00:00Z", "data": json.loads(seed)}).encode() for seed in seeds[:2]
    )
    return [*seeds, *BADGES, lines, seeds[0].decode().encode("utf-16"), seeds[0].decode().encode("utf-32-be")]


def with_headers(body: bytes) -> bytes:
    return b"200\nX-Last-Updated-At: 2031-03-04T12:00:00Z\nX-Refresh-Interval-Seconds: 60\n\n" + body


def tars(whole: bytes) -> list[bytes]:
    files: list[tuple[str, bytes]] = [("2031-03-04T1200.json", whole[:600]), ("b.json", b"[]")]
    pax = io.BytesIO()
    with tarfile.open(fileobj=pax, mode="w", format=tarfile.PAX_FORMAT) as archive:
        member = tarfile.TarInfo("ü" * 120)
        member.size, member.mtime = 2, 1772366400.5
        member.pax_headers = {"comment": "x"}
        archive.addfile(member, io.BytesIO(b"[]"))
    plain = tar_of(list(files))
    return [plain, pax.getvalue(), gzip.compress(plain), lzma.compress(plain), zstandard.compress(plain)]


ROWS: Sequence[Mapping[str, Any]] = (
    {"id": "1", "user_id": "2", "user_login": "ann", "user_name": "Ann", "game_id": "7", "game_name": "G",
     "type": "live", "title": "T", "viewer_count": 3, "started_at": "2031-03-04T12:00:00Z", "tags": ["a"],
     "language": "en", "thumbnail_url": "https://a/x-{width}x{height}.jpg", "login": "ann", "display_name": "Ann"},
    {"broadcaster_id": "2", "broadcaster_login": "ann", "broadcaster_name": "Ann", "game_id": "", "title": ""},
    {"id": "7", "name": "G", "box_art_url": "https://a/x-52x72.jpg", "igdb_id": "12"},
    {"id": "9", "user_id": "2", "title": "V", "url": "https://v", "published_at": "2031-03-04T12:00:00Z",
     "duration": "3h8m33s", "type": "archive", "stream_id": None, "thumbnail_url": "https://a/%{width}x%{height}.jpg"},
    {"set_id": "s", "versions": [{"id": "1", "title": "B", "image_url_1x": "https://b"}]},
)  # fmt: skip
BADGES = (json.dumps({"data": [ROWS[4], ROWS[4]]}).encode(),)
RATE = (
    b"200\nRatelimit-Limit: 800\nRatelimit-Remaining: 9\n"
    b"Ratelimit-Reset: 1930392000\nDate: Tue, 04 Mar 2031 12:00:00 GMT\n\n"
)
HELIX = (
    *(RATE + json.dumps({"data": [row], "pagination": {"cursor": "x"}, "total": 1}).encode() for row in ROWS),
    b'429\nRetry-After: 3\n\n{"status":429,"message":"number of websocket transports limit exceeded"}',
)
IGDB_ERRORS = (
    b'[{"title":"Syntax Error","status":400,"cause":"Missing ;"}]',
    b'{"message":"Too Many Requests"}',
    b"<html><body>error code: 1010</body></html>",
    b'[{"id":1,"url":"https://x/igdb/games/create","active":true}]',
)
IGDB_HINTS = (b'{"id":1020,"name":"G","game":7}', b'{"id":1020}')
RETRY_AFTER = (b"120", b"Wed, 04 Mar 2031 12:10:00 GMT", b"Tue, 04 Mar 2031 12:10:00 -0000", b"0")
ETAGS = (b'W/"0a1b"', b"Wed, 04 Mar 2031 12:10:00 GMT")
URLS = (
    b"https://loot.example.org/a?b=c#d",
    b"http://user:pass@[::1]:8080/x",
    b"//loot.example.org/../x",
    b"Watch &amp; <b>earn</b> <a href='https://x'>it</a> @everyone\nnow",
)


def _frame_of(kind: str, payload: Mapping[str, Any]) -> bytes:
    metadata = {"message_id": "0a1b", "message_type": kind, "message_timestamp": "2031-03-04T12:00:00.123456789Z"}
    return json.dumps({"metadata": metadata, "payload": payload}).encode()


def _notification(kind: str, version: str, event: Mapping[str, Any]) -> bytes:
    subscription = {"id": "s", "status": "enabled", "type": kind, "version": version, "cost": 1,
                    "condition": {"broadcaster_user_id": "2"},
                    "transport": {"method": "conduit", "conduit_id": "c"},
                    "created_at": "2031-03-04T12:00:00Z"}  # fmt: skip
    return _frame_of("notification", {"subscription": subscription, "event": event, "challenge": "c"})


ANN = {"broadcaster_user_id": "2", "broadcaster_user_login": "ann", "broadcaster_user_name": "Ann"}
SHARD = {"conduit_id": "c", "shard_id": "0", "status": "websocket_disconnected", "transport": {"session_id": "x"}}
SESSION = {"id": "x", "status": "connected", "keepalive_timeout_seconds": 10, "reconnect_url": "wss://e/ws?x=1"}
FRAMES = (
    _frame_of("session_welcome", {"session": SESSION}),
    _frame_of("session_keepalive", {}),
    _frame_of("session_reconnect", {"session": SESSION | {"keepalive_timeout_seconds": None}}),
    _notification("stream.online", "1", ANN | {"id": "1", "type": "live", "started_at": "2031-03-04T12:00:00Z"}),
    _notification("stream.offline", "1", ANN),
    _notification("channel.update", "2", ANN | {"title": "T", "category_id": "7", "category_name": "G"}),
    _notification("conduit.shard.disabled", "1", SHARD),
    _frame_of("revocation", json.loads(_notification("stream.online", "1", {}))["payload"]),
)
NAMES = (b"drops-2031-03-04T120000Z.json", b"1772366400.json", b"2026-08-21_00-26-05", b"%Y-%m-%dT%H%M%SZ", b"%j%y%B")
CHANNEL_LISTS = (
    b"ann\n# a comment\nhttps://www.twitch.tv/bob?x=1\n12345\n",
    b'login,broadcaster_id\nann,2\n"bob",3\n',
    b"streamer;x\nann;1\n",
    b'{"data":[{"broadcaster_id":"2","broadcaster_login":"ann"},{"user":{"id":3,"name":"bob"}}],"total":2}',
    b'["ann", 3, {"to_name": "bob"}]',
)
GAME_LISTS = (
    b"Harbour Lights\nigdb:1020\nhttps://www.igdb.com/games/moss-runner\n1942\n",
    b'title,year,platform\n"Quiet, Orbit",2031,PC\n',
    b"name\tigdb_id\tslug\nG\t12\tg\n",
    b'{"games":[{"name":"G","igdb_id":12,"release_year":"2031","platforms":["PC","Switch"]}]}',
    b'["G", 12, {"title":"H"}]',
)
WRITTEN = (
    b"@ann",
    b"https://player.twitch.tv/?channel=ann",
    b"igdb:12",
    b"https://www.igdb.com/games/g",
    b"2031-Q4",
    b"2031-03-04",
)
TOMLS = (
    b'data_dir = "/srv/loot"\nhttp_port = 8420\npublic_url = "https://loot.example.org"\nlocal_pictures = true\n',
    b'eventsub_callback_url = "https://loot.example.org/eventsub"\ntwitch_dashboard_hashes = ["' + b"0" * 64 + b'"]\n',
    b'gql_url = "https://gql.example.org/gql"\neventsub_url = "wss://e.example.org/ws"\n',
    b'http_host = "::"\nfeed_items = 10\nlog_level = "DEBUG"\nkick_url = "http://127.0.0.1:1/"\n[x]\ny = [[1]]\n',
)
VARIABLES = (
    b"LOOTWIRE_DATA_DIR=/srv/loot\nLOOTWIRE_HTTP_PORT=8420\nDATABASE_URL=postgres://a:b@c/d\nREDIS_URL=redis://a\n",
    b"LOOTWIRE_TWITCH_DASHBOARD_HASHES="
    + b"0" * 64
    + b","
    + b"1" * 64
    + b"\nTWITCH_CLIENT_ID=x\nLOOTWIRE_HTTP_HOST='::1'\n",
    b'export LOOTWIRE_PUBLISH_DIR="~/public"\nLOOTWIRE_EVENTSUB_CALLBACK_URL=https://loot.example.org:443/eventsub\n',
)
DETAILS = tuple(
    msgspec.json.encode(detail)
    for detail in (
        CampaignDetail(
            name="Rust 40",
            game="Rust",
            start_at=NOW,
            end_at=NOW + timedelta(days=9),
            drops=(DropLine(name="Hat", required_minutes=60, benefits=(BenefitLine(name="Cool hat"),)),),
            channels_total=3,
            channels=("ann",),
            changes=(
                FieldChange(field="end_at", old="2031-03-13T12:00:00Z", new="2031-03-14T12:00:00Z"),
                FieldChange(field="required_minutes", old=1, new=2, about="Hat"),
            ),
            drops_end_at=NOW + timedelta(days=6),
        ),
        StreamDetail(
            name="T",
            game="G",
            channel="Ann",
            channel_login="ann",
            viewers=3,
            tags=("a",),
            seconds=3,
            recap=StreamRecap(started_at=NOW, ended_at=NOW + timedelta(hours=2), seconds=7200, peak_viewers=9),
        ),
        ReleaseDetail(name="G", platforms=("PC",), when="2031-Q4", when_before="2031-03-04", days=200, is_delay=True),
        SourceDetail(reason="no answer", since=NOW, next_attempt_at=NOW + MINUTE),
    )
)
CURSORS = (
    b'{"after":12,"began_at":"2031-03-04T12:00:00Z","listed":3,"total":9,"swept_to":null,"sweep_dates":true}',
    b'{"tried":{"12":[1,"2031-03-04T12:00:00Z"]},"looked_at":"2031-03-04T12:00:00+00:00"}',
    b'{"highest":1204,"older_from":1190,"version":"v2","running":[1201,1203]}',
    b'{"hashes":{"ViewerDropsDashboard":"0a"},"asked":{"a":["0a","0b",1930392000]},"path":"/v2/drops"}',
)
