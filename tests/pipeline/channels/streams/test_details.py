"""What the events of streams and videos hold."""

from typing import Any

import pytest

from models.details import FieldChange
from models.events import EventKind
from pipeline.channels.streams.details import (
    ChannelRow,
    GameRow,
    category_game,
    changes_of,
    later_news,
    news_event,
    picture,
    stream_detail,
    video_event,
)
from pipeline.channels.streams.sessions import News, Session
from pipeline.services.twitch.records import CategoryRecord, VideoRecord
from tests.pipeline.builders import NOON

ANN = ChannelRow(7, "2", "ann", "Ann")
LIGHTS, ORBIT = GameRow(1, "Harbour Lights", "https://art.example.org/1.jpg"), GameRow(2, "Quiet Orbit", None)
GAMES = {1: LIGHTS, 2: ORBIT}


def session(**fields: Any) -> Session:
    times: dict[str, Any] = dict.fromkeys(("started_at", "first_seen_at", "last_seen_at", "segment_at"), NOON)
    return Session(
        **times | {"channel": "2", "stream_id": "s1", "story": "s1", "title": "Hello", "game_id": 1} | fields
    )


def test_a_stream_shows_itself_its_channel_and_its_game() -> None:
    detail = stream_detail(
        session(thumbnail_url="https://a/{width}x{height}.jpg", tags=("cosy",)), ANN, LIGHTS, viewers=3
    )

    assert (detail.name, detail.url, detail.game) == ("Hello", "https://www.twitch.tv/ann", "Harbour Lights")
    assert (detail.image_url, detail.box_art_url) == ("https://a/640x360.jpg", LIGHTS.box_art_url)
    assert (detail.tags, detail.type, detail.viewers) == (("cosy",), None, 3)


def test_a_rerun_says_what_it_is_and_a_stream_without_a_game_names_none() -> None:
    detail = stream_detail(session(type="rerun"), ANN, None)

    assert (detail.type, detail.game, detail.box_art_url, detail.image_url) == ("rerun", None, None, None)


CHANGES: list[tuple[EventKind, Any, Any, tuple[FieldChange, ...]]] = [
    (EventKind.STREAM_TITLE_CHANGED, "a", "b", (FieldChange(field="title", old="a", new="b"),)),
    (
        EventKind.STREAM_CATEGORY_CHANGED,
        1,
        2,
        (FieldChange(field="category", old="Harbour Lights", new="Quiet Orbit"),),
    ),
    (EventKind.STREAM_CATEGORY_CHANGED, None, 9, (FieldChange(field="category", old=None, new=None),)),
    (EventKind.STREAM_ONLINE, None, None, ()),
]


@pytest.mark.parametrize(("kind", "old", "new", "expected"), CHANGES)
def test_a_change_names_the_values_before_and_after(
    kind: EventKind, old: Any, new: Any, expected: tuple[FieldChange, ...]
) -> None:
    assert changes_of(News(kind=kind, session=session(), at=NOON, old=old, new=new), GAMES) == expected


def test_an_event_without_a_change_is_one_of_its_story() -> None:
    event = news_event(
        News(kind=EventKind.STREAM_ONLINE, session=session(), at=NOON), stream_detail(session(), ANN, None), ANN
    )

    assert (event.event_key, event.damped, event.channel_id, event.game_id) == ("stream.online:twitch:s1", False, 7, 1)


def test_a_change_is_told_from_what_was_announced_last() -> None:
    change = FieldChange(field="title", old="a", new="b")
    detail = stream_detail(session(), ANN, None, changes=(change,))
    event = news_event(News(kind=EventKind.STREAM_TITLE_CHANGED, session=session(), at=NOON), detail, ANN)

    assert (event.damped, event.items, event.identity) == (True, {"title": "a"}, ["a", "b"])
    assert event.since is not None
    assert event.since({"title": "b"}) == []
    (since,) = event.since({"title": "z"})
    assert (since.items, since.identity) == ({"title": "z"}, ["z", "b"])


def test_only_what_is_other_than_announced_is_told_later() -> None:
    detail = stream_detail(session(), ANN, LIGHTS)

    assert later_news(session(), detail, {"title": "Hello", "category": "Harbour Lights"}, NOON, ANN) == []
    news = later_news(session(), detail, {"title": "Bye", "category": "Quiet Orbit"}, NOON, ANN)
    assert [(event.kind, event.identity) for event in news] == [
        (EventKind.STREAM_TITLE_CHANGED, ["Bye", "Hello"]),
        (EventKind.STREAM_CATEGORY_CHANGED, ["Quiet Orbit", "Harbour Lights"]),
    ]
    assert later_news(session(), detail, {}, NOON, ANN) == []


def test_a_video_without_a_title_has_none() -> None:
    video = VideoRecord(
        external_id="v", channel_id="2", title="", url="https://v", published_at=NOON, seconds=60, type="archive"
    )

    event = video_event(video, ANN)

    assert (event.event_key, event.detail.name, event.channel_id) == ("video.published:twitch:v", None, 7)


def test_a_category_is_the_game_that_it_stands_for() -> None:
    category = CategoryRecord(external_id="9", name="G", box_art_url="https://a/{width}x{height}.jpg")

    assert category_game(category).box_art_url == "https://a/285x380.jpg"
    assert picture(None) is None
