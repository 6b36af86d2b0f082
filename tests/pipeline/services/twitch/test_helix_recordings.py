"""Recorded answers of Helix and of the sign-in service, where they are at hand."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pipeline.embedded import Servers
from pipeline.errors import SourceError, SourceRefused
from pipeline.fetch.http import Reply
from pipeline.services.twitch import helix_shapes as shapes
from pipeline.services.twitch.helix_eventsub import Conduit, EventSubSubscription, Shard, ShardError, Transport
from pipeline.services.twitch.helix_requests import (
    RequestRejected,
    TooManySubscriptions,
    TooManyTransports,
    read_envelope,
    read_rows,
)
from tests.paths import RECORDINGS
from tests.pipeline.services.twitch.helix_setting import HelixSetting, helix_setting
from tests.twitch import LocalTwitch

HELIX, AUTH = RECORDINGS / "helix", RECORDINGS / "twitch_auth"
pytestmark = [
    pytest.mark.recordings,
    pytest.mark.skipif(not HELIX.is_dir(), reason=f"there are no recordings in {RECORDINGS}"),
]

Parse = Callable[[msgspec.Raw], Any]
# The parser of a file whose name contains the key; the first match counts.
PARSERS: dict[str, Parse] = {
    "get_users_200": shapes.parse_user,
    "users_get_users": shapes.parse_user,
    "get_streams_200": shapes.parse_stream,
    "get_streams_followed": shapes.parse_stream,
    "get_channels_200": shapes.parse_channel,
    "get_channel_information": shapes.parse_channel,
    "get_channels_followed": shapes.parse_followed,
    "get_games": shapes.parse_category,
    "get_top_games": shapes.parse_category,
    "search_categories": shapes.parse_category,
    "get_videos": shapes.parse_video,
    "chat_badges": shapes.parse_badges,
    "eventsub_subscriptions": msgspec.json.Decoder(EventSubSubscription).decode,
    "eventsub_subscription_1": msgspec.json.Decoder(EventSubSubscription).decode,
    "shards": msgspec.json.Decoder(Shard).decode,
    "conduits": msgspec.json.Decoder(Conduit).decode,
    "conduit_0": msgspec.json.Decoder(Conduit).decode,
}
# Requests, and answers that we never ask for.
OTHERS = ("update_conduit_0",)


def recorded_answers() -> Iterator[Any]:
    for path in sorted([*HELIX.glob("docs/*.json"), *HELIX.glob("twitch-rs/*.json")]):
        parse = next((parse for part, parse in PARSERS.items() if part in path.name), None)
        if parse is not None and not any(other in path.name for other in OTHERS):
            yield pytest.param(path, parse, id=path.stem)


def real(name: str) -> list[dict[str, Any]]:
    """The rows of a file of real answers, which their collectors wrapped in shapes of their own."""
    content = json.loads((HELIX / "real" / name).read_bytes())
    if isinstance(content, list):
        return content
    return [row for part in content["frontPage"].values() for row in part]


def raw(row: object) -> msgspec.Raw:
    return msgspec.Raw(json.dumps(row).encode())


@pytest.fixture
def setting(servers: Servers, tmp_path: Path) -> Iterator[HelixSetting]:
    with LocalTwitch() as twitch, helix_setting(twitch, servers, tmp_path) as setting:
        yield setting


@pytest.mark.parametrize(("path", "parse"), list(recorded_answers()))
def test_every_row_of_a_recorded_answer_is_read(path: Path, parse: Parse, caplog: pytest.LogCaptureFixture) -> None:
    envelope = read_envelope(Reply(200, {}, path.read_bytes()), path.name)

    assert len(read_rows(envelope.data, parse, path.name)) == len(envelope.data)
    assert caplog.text == ""


def test_the_recordings_are_many() -> None:
    assert len(list(recorded_answers())) >= 35


@pytest.mark.parametrize("name", ["streams_list_3.json", "streams_frontpage_1.json", "streams_frontpage_2.json"])
def test_real_streams_are_read_with_what_they_tell(name: str) -> None:
    rows = [row for row in real(name) if "viewer_count" in row]

    streams = [shapes.parse_stream(raw(row)) for row in rows]

    assert len(streams) >= 5
    for row, stream in zip(rows, streams, strict=True):
        assert (stream.viewers, stream.channel.login) == (row["viewer_count"], row["user_login"])
        assert (stream.title, stream.game is None) == (row["title"].strip() or None, row["game_id"] == "")


def test_real_categories_know_their_igdb_game_or_say_none() -> None:
    rows = real("games_top100_2023_with_igdb_id.json")

    categories = [shapes.parse_category(raw(row)) for row in rows]

    assert [category.igdb_id or "" for category in categories] == [row["igdb_id"] for row in rows]
    assert all("{width}x{height}" in (category.box_art_url or "") for category in categories)
    assert len([shapes.parse_category(raw(row)) for row in real("games_2019_list.json")]) == 699


def test_recorded_shard_errors_are_read() -> None:
    answer = HELIX / "docs" / "patch_eventsub_conduits_shards_202_0.json"
    envelope = read_envelope(Reply(202, {}, answer.read_bytes()), "shards")

    assert read_rows(envelope.errors, msgspec.json.Decoder(ShardError).decode, "shards") == [
        ShardError("3", "The shard id is outside the conduit's range", "invalid_parameter")
    ]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("429_eventsub_same_type_condition", TooManySubscriptions),
        ("429_eventsub_websocket_transports", TooManyTransports),
        ("400_eventsub_transport_auth", RequestRejected),
        ("401_client_mismatch", SourceRefused),
    ],
)
def test_a_recorded_error_means_what_it_says(setting: HelixSetting, name: str, kind: type[SourceError]) -> None:
    body = (HELIX / "errors" / f"{name}.json").read_bytes()
    setting.twitch.fail("/helix/eventsub/subscriptions", int(name[:3]), body)

    with pytest.raises(kind, match=json.loads(body)["message"]):
        setting.helix.create_subscription("stream.online", "1", {}, Transport(method="conduit", conduit_id="x"))


@pytest.mark.parametrize("name", ["401_invalid_token", "401_token_missing", "500_channels", "503"])
def test_a_recorded_error_that_passes_is_not_noticed(setting: HelixSetting, name: str) -> None:
    setting.twitch.add_user("shroud", id="1")
    setting.twitch.fail("/helix/channels", int(name[:3]), (HELIX / "errors" / f"{name}.json").read_bytes())

    assert len(setting.helix.channels(["1"])) == 1


@pytest.mark.parametrize(
    ("name", "named"),
    [
        ("token_invalid_client_400", "TWITCH_CLIENT_ID must be"),
        ("token_invalid_secret_403", "TWITCH_CLIENT_SECRET is not"),
        ("token_invalid_grant_400", "check TWITCH_CLIENT_ID"),
    ],
)
def test_a_recorded_refusal_of_a_token_names_the_setting(setting: HelixSetting, name: str, named: str) -> None:
    status = int(name.rpartition("_")[2])
    setting.twitch.fail("/oauth2/token", status, (AUTH / f"{name}.json").read_bytes())

    with pytest.raises(SourceRefused, match=named):
        setting.tokens().current(setting.client)


def test_a_recorded_token_is_read(setting: HelixSetting) -> None:
    body = (AUTH / "token_ok.json").read_bytes()
    setting.twitch.fail("/oauth2/token", 200, body)

    assert setting.tokens().current(setting.client).token == json.loads(body)["access_token"]
