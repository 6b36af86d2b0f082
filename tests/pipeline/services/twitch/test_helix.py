"""The requests to Helix and the records of its answers, against a local Twitch."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pipeline.catalogue.records import ChannelRecord, GameRecord, UserRecord
from pipeline.drops.sources.badges import Badges
from pipeline.embedded import Servers
from pipeline.errors import InvalidItem, SourceChanged
from pipeline.services.twitch.helix_requests import RequestRejected
from pipeline.services.twitch.helix_shapes import any_size, parse_stream, parse_video, seconds_of
from pipeline.services.twitch.records import (
    BadgeRecord,
    CategoryRecord,
    ChannelInfoRecord,
    ClipRecord,
    MutedRecord,
    VideoRecord,
)
from tests.pipeline.services.twitch.helix_setting import HelixSetting, helix_setting
from tests.twitch import LocalTwitch
from tests.twitch.world import Clip

TEMPLATE = "{width}x{height}.jpg"
ART = "https://static-cdn.jtvnw.net/ttv-boxart/"
T0 = datetime(2031, 3, 4, 12, tzinfo=UTC)
GAMES = {"33214": "Fortnite", "509658": "Just Chatting", "21779": "League of Legends"}


@pytest.fixture(scope="module")
def twitch() -> Iterator[LocalTwitch]:
    """One Twitch for all tests of this file; each adds users of its own."""
    with LocalTwitch() as running:
        for key, name in GAMES.items():
            running.add_category(key, name, igdb_id="1905" if name == "Fortnite" else "")
        yield running


@pytest.fixture
def setting(twitch: LocalTwitch, servers: Servers, tmp_path: Path) -> Iterator[HelixSetting]:
    with helix_setting(twitch, servers, tmp_path) as setting:
        yield setting


def row(**fields: Any) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(fields))


def test_users_are_asked_for_a_hundred_at_a_time_ids_and_logins_together(setting: HelixSetting) -> None:
    users = setting.twitch.add_users(230, "u")

    records = setting.helix.users(
        ids=[user.id for user in users[:150]], logins=[user.login.upper() for user in users[100:]]
    )

    assert {user.external_id for user in records} == {user.id for user in users}
    assert len(records) == 230
    assert [len(request.query) for request in setting.requests("users")] == [100, 100, 80]
    assert all("," not in value for request in setting.requests("users") for _, value in request.query)


def test_a_user_has_an_id_a_login_and_a_name(setting: HelixSetting) -> None:
    setting.twitch.add_user("ninja", id="19571641", display_name="Ninja ", description="")

    assert setting.helix.users(logins=["ninja"]) == [
        UserRecord(
            external_id="19571641",
            login="ninja",
            display_name="Ninja",
            profile_image_url="https://static-cdn.jtvnw.net/jtv_user_pictures/19571641-profile_image-300x300.png",
        )
    ]


def test_names_that_cannot_be_are_never_asked_for_because_one_of_them_spoils_its_whole_request(
    setting: HelixSetting,
) -> None:
    setting.twitch.add_user("possible")

    records = setting.helix.users(ids=["abc", "", "1,2", "٣"], logins=["possible", "not a login", "x" * 26, "é", ""])

    assert [user.login for user in records] == ["possible"]
    assert [request.query for request in setting.requests("users")] == [(("login", "possible"),)]


def test_nothing_is_asked_where_nothing_is_wanted(setting: HelixSetting) -> None:
    helix = setting.helix

    answers = [helix.users(), helix.streams(), helix.channels([]), helix.categories(), helix.search_categories(" ")]
    assert not any([*answers, helix.videos("no id")])
    assert setting.twitch.requests == []


def test_a_live_stream_is_told_with_its_channel_category_and_viewers(setting: HelixSetting) -> None:
    user = setting.twitch.add_user("pokimane", display_name="Pokimane")
    setting.twitch.go_live(
        "pokimane",
        title=" good\x00 morning ",
        category="Just Chatting",
        viewers=12_345,
        language="en",
        tags=["English", " "],
        stream_id="41375541868",
        started_at=T0,
    )

    (stream,) = setting.helix.streams(user_ids=[user.id])

    assert stream.stream_id == "41375541868"
    assert stream.channel == ChannelRecord(external_id=user.id, login="pokimane", display_name="Pokimane")
    assert stream.game == GameRecord(external_id="509658", name="Just Chatting")
    assert (stream.title, stream.viewers, stream.language) == ("good morning", 12_345, "en")
    assert (stream.started_at, stream.tags) == (T0, ("English",))
    assert stream.thumbnail_url == f"https://static-cdn.jtvnw.net/previews-ttv/live_user_pokimane-{TEMPLATE}"


def test_a_stream_without_title_and_category_says_neither(setting: HelixSetting) -> None:
    user = setting.twitch.add_user("quiet")
    setting.twitch.go_live("quiet")

    (stream,) = setting.helix.streams(user_ids=[user.id])

    assert (stream.title, stream.game, stream.tags) == (None, None, ())


def test_two_thousand_channels_cost_twenty_requests(setting: HelixSetting) -> None:
    users = setting.twitch.add_users(2000, "many")
    for user in users[:60]:
        setting.twitch.go_live(user.login, announce=False)

    streams = setting.helix.streams(user_ids=[user.id for user in users])

    assert {stream.channel.external_id for stream in streams} == {user.id for user in users[:60]}
    assert len(setting.requests("streams")) == 20


def test_every_page_of_a_category_is_read_and_rows_that_pages_repeat_count_once(setting: HelixSetting) -> None:
    users = setting.twitch.add_users(230, "lol")
    for number, user in enumerate(users):
        setting.twitch.go_live(user.login, category="League of Legends", viewers=number, announce=False)
    setting.twitch.repeated_rows = 5
    try:
        streams = setting.helix.streams(game_ids=["21779", "404"])
        assert len(setting.requests("streams")) == 3
        setting.twitch.forget_requests()
        first = setting.helix.streams(game_ids=["21779"], limit=50)
    finally:
        setting.twitch.repeated_rows = 0

    assert sorted(stream.channel.login for stream in streams) == [user.login for user in users]
    assert [stream.viewers for stream in first] == list(range(229, 179, -1))
    assert len(setting.requests("streams")) == 1


def test_a_channel_that_is_followed_and_plays_a_followed_game_is_told_once(setting: HelixSetting) -> None:
    user = setting.twitch.add_user("both")
    setting.twitch.go_live("both", category="Fortnite")

    assert len(setting.helix.streams(user_ids=[user.id], game_ids=["33214"])) == 1


def test_a_channel_tells_of_itself_also_when_it_is_not_live(setting: HelixSetting) -> None:
    user = setting.twitch.add_user("shroud", id="37402112")
    setting.twitch.update_channel("shroud", title="later", category="Fortnite", tags=["fps"], language="de")

    assert setting.helix.channels([user.id, user.id, "404"]) == [
        ChannelInfoRecord(
            channel=ChannelRecord(external_id="37402112", login="shroud", display_name="Shroud"),
            game=GameRecord(external_id="33214", name="Fortnite"),
            title="later",
            language="de",
            tags=("fps",),
        )
    ]


def test_categories_are_found_by_id_and_exact_name_and_know_their_igdb_game_where_twitch_does(
    setting: HelixSetting,
) -> None:
    records = setting.helix.categories(ids=["33214", "x"], names=["Just Chatting", "Fortnite", "just"])

    assert records == [
        CategoryRecord(external_id="33214", name="Fortnite", box_art_url=f"{ART}33214_IGDB-{TEMPLATE}", igdb_id="1905"),
        CategoryRecord(external_id="509658", name="Just Chatting", box_art_url=f"{ART}509658-{TEMPLATE}"),
    ]
    assert len(setting.requests("games")) == 1


def test_a_search_finds_categories_whose_pictures_come_in_any_size_and_nothing_is_an_empty_list(
    setting: HelixSetting,
) -> None:
    assert setting.helix.search_categories("fort") == [
        CategoryRecord(external_id="33214", name="Fortnite", box_art_url=f"{ART}33214_IGDB-{TEMPLATE}")
    ]
    assert setting.helix.search_categories("no such game") == []


def test_the_newest_videos_of_a_channel_come_first(setting: HelixSetting) -> None:
    user = setting.twitch.add_user("vods")
    for day in range(5):
        fields = {"id": str(day), "title": f"day {day}", "published_at": T0 + timedelta(days=day)}
        setting.twitch.add_video("vods", **fields, seconds=11_313, stream_id=f"4{day}", type="archive")  # type: ignore[arg-type]

    videos = setting.helix.videos(user.id, limit=2)

    assert [video.title for video in videos] == ["day 4", "day 3"]
    assert videos[0] == VideoRecord(
        external_id="4",
        channel_id=user.id,
        title="day 4",
        url="https://www.twitch.tv/videos/4",
        published_at=T0 + timedelta(days=4),
        seconds=3 * 3600 + 8 * 60 + 33,
        type="archive",
        stream_id="44",
        thumbnail_url=f"https://static-cdn.jtvnw.net/cf_vods/vods/4/thumb/thumb0-{TEMPLATE}",
        muted=(),
    )


def test_a_video_says_which_parts_twitch_muted(setting: HelixSetting) -> None:
    user = setting.twitch.add_user("loud")
    setting.twitch.add_video("loud", muted=[{"duration": 180, "offset": 30}, {"duration": 360, "offset": 900}])

    [video] = setting.helix.videos(user.id)

    assert video.muted == (MutedRecord(30, 180), MutedRecord(900, 360))


def test_the_clips_of_a_channel_are_those_since_a_time_most_viewed_first(setting: HelixSetting) -> None:
    user = setting.twitch.add_user("clipped")
    for day in range(4):
        clip = Clip(f"Clip{day}", f"day {day}", T0 + timedelta(days=day), 28.5, game_id="263490", views=day)
        setting.twitch.add_clip("clipped", clip)

    clips = setting.helix.clips(user.id, since=T0 + timedelta(days=1), limit=2)

    assert [clip.title for clip in clips] == ["day 3", "day 2"]
    assert clips[0] == ClipRecord(
        external_id="Clip3",
        channel_id=user.id,
        title="day 3",
        url="https://clips.twitch.tv/Clip3",
        created_at=T0 + timedelta(days=3),
        seconds=28.5,
        game_id="263490",
    )
    assert setting.helix.clips("no id", since=T0) == []


def test_a_channel_without_videos_has_none(setting: HelixSetting) -> None:
    user = setting.twitch.add_user("live_only")

    assert setting.helix.videos(user.id) == []
    assert setting.statuses("videos") == [404]


def test_each_version_of_a_badge_is_a_record_with_its_largest_picture(setting: HelixSetting) -> None:
    versions = [
        {"id": "1", "title": "One", "description": "", "image_url_1x": "1x", "image_url_4x": "4x", "click_url": None},
        {"id": "2", "title": "Two", "description": "Second", "image_url_1x": "1x", "click_url": "https://a.example"},
    ]
    setting.twitch.set_badges([{"set_id": "founder", "versions": versions}])

    expected = [
        BadgeRecord(set_id="founder", version="1", title="One", image_url="4x"),
        BadgeRecord(
            set_id="founder",
            version="2",
            title="Two",
            description="Second",
            image_url="1x",
            click_url="https://a.example",
        ),
    ]
    badges = Badges()
    snapshot = badges.split(setting.helix.badges_payload())
    assert [badges.parse(item) for item in snapshot.items] == expected


def test_all_pages_of_what_a_user_follows_are_read_in_that_users_name_and_budget(setting: HelixSetting) -> None:
    user = setting.twitch.add_user("viewer")
    followed = setting.twitch.add_users(205, "followed")
    setting.twitch.set_follows(user.id, [user.login for user in followed])

    class Session:
        token = setting.twitch.user_token(user.id)
        client_id = setting.twitch.client_id

    channels = setting.helix.followed(user.id, Session())

    assert [channel.login for channel in channels] == [user.login for user in followed]
    assert setting.statuses("channels/followed") == [200, 200, 200]
    # No token of our application was needed.
    assert [request.path for request in setting.twitch.requests if "token" in request.path] == []


def test_one_bad_row_is_left_out_and_logged(setting: HelixSetting, caplog: pytest.LogCaptureFixture) -> None:
    good = {"id": "1", "login": "good"}
    rows = [good, {"id": "2"}, {"id": 3, "login": "number"}, {"id": "4", "login": "\x00"}, "nonsense"]
    setting.twitch.fail("/helix/users", 200, {"data": rows})

    records = setting.helix.users(ids=["1", "2", "3", "4"])

    assert [user.login for user in records] == ["good"]
    assert "4 rows of users cannot be read, the first because:" in caplog.text


@pytest.mark.parametrize("body", [{}, [], {"data": 7}, "<html>", b"\xff", {"data": {"id": "1"}}])
def test_an_answer_without_its_envelope_is_a_change_of_the_service_and_kept(
    setting: HelixSetting, body: object
) -> None:
    setting.twitch.fail("/helix/streams", 200, body)

    with pytest.raises(SourceChanged, match="streams is no list") as caught:
        setting.helix.streams(user_ids=["1"])

    assert caught.value.payload


def test_pages_that_repeat_their_cursor_come_to_an_end(setting: HelixSetting) -> None:
    stream = {"id": "1", "user_id": "7", "user_login": "again", "started_at": "2031-03-04T12:00:00Z"}
    body = {"data": [stream], "pagination": {"cursor": "again"}}
    setting.twitch.fail("/helix/streams", 200, body, times=10)

    assert len(setting.helix.streams(game_ids=["33214"])) == 1
    assert len(setting.requests("streams")) == 2


def test_a_question_that_twitch_rejects_tells_what_it_said(setting: HelixSetting) -> None:
    setting.fail("games", 400, 'Missing required parameter "id"')

    with pytest.raises(RequestRejected, match="games") as caught:
        setting.helix.categories(ids=["1"])

    assert (caught.value.status, caught.value.text) == (400, 'Missing required parameter "id"')


@pytest.mark.parametrize(
    ("duration", "seconds"),
    [("3h8m33s", 11_313), ("33s", 33), ("2h", 7200), ("1d2h3m4s", 93_784), ("0s", 0), ("150h0m1s", 540_001)],
)
def test_a_duration_is_counted_in_seconds(duration: str, seconds: int) -> None:
    assert seconds_of(duration) == seconds


@pytest.mark.parametrize("duration", ["", "3", "3h8", "-1s", "8m3h", "1.5s", "²s", "s"])
def test_what_is_no_duration_sets_its_video_aside(duration: str) -> None:
    with pytest.raises(InvalidItem, match="not a duration"):
        seconds_of(duration)


@pytest.mark.parametrize(
    ("url", "template"),
    [
        (f"{ART}33214-52x72.jpg", f"{ART}33214-{TEMPLATE}"),
        (f"{ART}33214_IGDB-{{width}}x{{height}}.jpg", f"{ART}33214_IGDB-{TEMPLATE}"),
        (f"{ART}PLAYERUNKNOWN%27S%20BATTLEGROUNDS-52x72.jpg", f"{ART}PLAYERUNKNOWN%27S%20BATTLEGROUNDS-{TEMPLATE}"),
        ("https://a.example/thumb0-%{width}x%{height}.jpg", f"https://a.example/thumb0-{TEMPLATE}"),
        ("https://a.example/Game%{2}.jpg", "https://a.example/Game%{2}.jpg"),
        ("https://a.example/no-size.jpg", "https://a.example/no-size.jpg"),
        ("", None),
        (None, None),
    ],
)
def test_pictures_of_any_size_have_one_spelling(url: str | None, template: str | None) -> None:
    assert any_size(url) == template


@pytest.mark.parametrize(
    ("written", "parsed"),
    [
        ("2031-03-04T12:00:00.123456789Z", T0.replace(microsecond=123457)),
        ("2031-03-04T12:00:00.1234567Z", T0.replace(microsecond=123457)),
        ("2031-03-04T13:00:00+01:00", T0),
    ],
)
def test_times_may_have_more_digits_than_a_microsecond_and_another_zone(written: str, parsed: datetime) -> None:
    stream = parse_stream(row(id="1", user_id="2", user_login="a", started_at=written))

    assert (stream.started_at, stream.started_at.tzinfo) == (parsed, UTC)


def test_a_time_that_no_calendar_holds_sets_its_row_aside() -> None:
    written = "0001-01-01T00:00:00+05:00"
    video = {"id": "1", "user_id": "2", "title": "", "url": "https://v", "duration": "1s", "type": "upload"}

    with pytest.raises(InvalidItem, match="out of range"):
        parse_stream(row(id="1", user_id="2", user_login="a", started_at=written))
    with pytest.raises(InvalidItem, match="out of range"):
        parse_video(row(**video, published_at=written))


def test_a_video_may_have_no_title_and_no_stream() -> None:
    published = "2031-03-04T12:00:00Z"
    fields = {"id": "1", "user_id": "2", "title": "", "url": "https://v", "published_at": published}
    video = parse_video(row(**fields, duration="1s", type="upload", stream_id=None, thumbnail_url=""))

    assert (video.title, video.stream_id, video.thumbnail_url) == ("", None, None)
