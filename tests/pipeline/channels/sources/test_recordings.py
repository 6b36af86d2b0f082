"""Streams that were really live, on their way from Helix's rows to sessions."""

import json
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from models import Channel, Game, StreamSession, StreamSnapshot
from pipeline.channels.streams.observations import Polled
from pipeline.services.twitch.helix_shapes import parse_stream
from pipeline.services.twitch.records import StreamRecord
from tests.paths import RECORDINGS
from tests.pipeline.channels.streaming import Streaming, minutes

REAL = RECORDINGS / "helix" / "real"
pytestmark = [
    pytest.mark.recordings,
    pytest.mark.skipif(not REAL.is_dir(), reason=f"there are no recordings in {REAL}"),
]
FILES = ("streams_frontpage_1.json", "streams_frontpage_2.json", "streams_list_3.json")


def rows(name: str) -> list[dict[str, Any]]:
    """The streams of a file of real answers, which people kept within shapes of their own."""
    kept = json.loads((REAL / name).read_bytes())
    listed = kept if isinstance(kept, list) else [row for part in kept["frontPage"].values() for row in part]
    return [row for row in listed if row.get("type") == "live" and "user_login" in row]


@pytest.mark.parametrize("name", FILES)
def test_real_streams_land_as_sessions_with_all_that_was_told(streaming: Streaming, name: str) -> None:
    listed = rows(name)
    streams = [parse_stream(msgspec.Raw(json.dumps(row).encode())) for row in listed]
    newest = max(stream.started_at for stream in streams)
    channel_ids = frozenset(stream.channel.external_id for stream in streams)
    streaming.follow_all([(s.channel.external_id, s.channel.login) for s in streams], newest - timedelta(days=60))
    hear(streaming, streams, channel_ids, newest + timedelta(minutes=1))
    hear(streaming, [], channel_ids, newest + timedelta(minutes=6))
    events = streaming.count(StreamSession)
    for later in (11, 16):
        hear(streaming, [], channel_ids, newest + timedelta(minutes=later))

    sessions = {row.stream_id: row for row in streaming.rows(StreamSession)}
    assert sessions.keys() == {stream.stream_id for stream in streams}
    assert events == len(sessions) == len(channel_ids) >= 5
    for stream in streams:
        session = sessions[stream.stream_id]
        assert (session.started_at, session.title, session.language) == (
            stream.started_at,
            stream.title,
            stream.language,
        )
        assert session.tags == (None if stream.tags is None else list(stream.tags))
        assert session.ended_at == newest + timedelta(minutes=1)
    assert [row.viewers for row in streaming.rows(StreamSnapshot)].count(None) == 0
    assert {row.name for row in streaming.rows(Game)} == {s.game.name for s in streams if s.game is not None}
    assert {row.external_id for row in streaming.rows(Channel)} >= channel_ids
    assert sorted({kind: streaming.kinds().count(kind) for kind in streaming.kinds()}.items()) == [
        ("stream.offline", len(sessions)),
        ("stream.online", len(sessions)),
    ]


def hear(streaming: Streaming, streams: list[StreamRecord], channel_ids: frozenset[str], at: datetime) -> None:
    streaming.hear(Polled(channels=channel_ids, live=tuple(streams), at=at), now=minutes(at))
