"""The demo's Helix tells of those that it is asked for, as they are at each step."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec
import pytest

from pipeline.demo.clock import STEPS
from pipeline.demo.live import RECORDED, SHOWS
from pipeline.demo.services import DemoServices
from pipeline.services.twitch.helix_shapes import parse_badges, parse_category, parse_stream, parse_user, parse_video
from tests.plain_http import NO_CERTIFICATES

NOW = datetime(2031, 5, 4, 12, 34, 56, tzinfo=UTC)


@pytest.fixture
def services() -> Iterator[DemoServices]:
    with DemoServices(NOW) as running:
        yield running


def ask(services: DemoServices, path: str, **query: Any) -> list[msgspec.Raw]:
    answer = httpx.get(
        f"{services.helix_url}/{path}", params=query, trust_env=False, verify=NO_CERTIFICATES
    ).raise_for_status()
    return [msgspec.Raw(json.dumps(row).encode()) for row in answer.json()["data"]]


def live(services: DemoServices) -> dict[str, str | None]:
    ids = [parse_user(row).external_id for row in ask(services, "users", login=list(SHOWS))]
    streams = [parse_stream(row) for row in ask(services, "streams", user_id=ids)]
    return {stream.channel.login: stream.game.name if stream.game else None for stream in streams}


def test_streamers_come_and_go_with_the_steps(services: DemoServices) -> None:
    seen = [live(services)]
    for _ in range(STEPS - 1):
        services.advance()
        seen.append(live(services))
    on_air = [sorted(step) for step in seen]
    assert on_air[:2] == [[], ["coaltitsam"]]
    assert on_air[-1] == ["ironteacup", "nimbusnell"]
    assert {step["coaltitsam"] for step in seen if "coaltitsam" in step} == {"Cinderhold", "Nine Lanterns: Ashen Court"}


def test_only_those_that_are_asked_for_are_told_of(services: DemoServices) -> None:
    assert ask(services, "users", login=["nobody"]) == []
    assert ask(services, "streams", user_id=["1"]) == []


def test_categories_and_badges_can_be_read(services: DemoServices) -> None:
    [category] = [parse_category(row) for row in ask(services, "games", name=["Cinderhold"])]
    assert category.box_art_url is not None
    assert "{width}x{height}" in category.box_art_url
    before = len([badge for row in ask(services, "chat/badges/global") for badge in parse_badges(row)])
    for _ in range(STEPS):
        services.advance()
    assert len([badge for row in ask(services, "chat/badges/global") for badge in parse_badges(row)]) == before + 1


def test_a_token_is_given_by_post_alone(services: DemoServices) -> None:
    assert (
        httpx.post(f"{services.auth_url}/token", trust_env=False, verify=NO_CERTIFICATES).json()["token_type"]
        == "bearer"
    )
    assert httpx.get(f"{services.auth_url}/token", trust_env=False, verify=NO_CERTIFICATES).status_code == 404
    assert httpx.get(f"{services.helix_url}/nothing", trust_env=False, verify=NO_CERTIFICATES).status_code == 404


def test_a_streamers_archive_is_there_once_the_stream_is_over(services: DemoServices) -> None:
    [streamer] = [parse_user(row) for row in ask(services, "users", login=[RECORDED])]
    before = [parse_video(row) for row in ask(services, "videos", user_id=[streamer.external_id])]
    for _ in range(STEPS):
        services.advance()
    after = [parse_video(row) for row in ask(services, "videos", user_id=[streamer.external_id])]
    assert [video.type for video in before] == ["highlight"]
    assert [(video.type, video.stream_id is None) for video in after] == [("highlight", True), ("archive", False)]
    assert {video.seconds for video in after} == {90}
    assert ask(services, "videos", user_id=["1"]) == []
