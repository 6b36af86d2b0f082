import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from xml.etree import ElementTree as ET

import httpx
import pytest

from pipeline.demo import history
from pipeline.demo.services import DemoServices
from tests.plain_http import NO_CERTIFICATES

NOW = datetime(2031, 5, 4, 12, 34, 56, tzinfo=UTC)
ENDPOINTS = (
    "/mirror/drops",
    "/mirror/rewards",
    "/mirror/v2/drops",
    "/mirror/v2/rewards",
    "/kick/api/v1/drops/campaigns",
    "/chzzk/service/v1/drops/campaigns/1201",
    "/chzzk/service/v2/drops/campaigns/1201",
)


@pytest.fixture
def services() -> Iterator[DemoServices]:
    with DemoServices(NOW, refresh_interval_seconds=7) as running:
        yield running


@pytest.fixture
def client(services: DemoServices) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=services.base_url, trust_env=False, timeout=60, verify=NO_CERTIFICATES) as client:
        yield client


def picture_addresses(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set().union(*(picture_addresses(inner) for inner in value.values()))
    if isinstance(value, list):
        return set().union(*(picture_addresses(inner) for inner in value))
    return {value} if isinstance(value, str) and value.startswith("http://127.") else set()


def test_the_second_version_of_the_mirror_wraps_the_history_in_its_own_clock(
    services: DemoServices, client: httpx.Client
) -> None:
    answer = client.get("/mirror/v2/drops").raise_for_status().json()
    assert answer == {
        "lastUpdatedAt": "2031-05-04T04:34:56.000Z",
        "refreshIntervalSeconds": 7,
        "data": history.mirror_drops(NOW, 0, services.base_url),
    }


def test_the_first_version_of_the_mirror_says_its_clock_in_headers(
    services: DemoServices, client: httpx.Client
) -> None:
    answer = client.get("/mirror/rewards").raise_for_status()
    assert answer.json() == history.mirror_rewards(NOW, 0, services.base_url)
    assert answer.headers["X-Last-Updated-At"] == "2031-05-04T04:34:56.000Z"
    assert answer.headers["X-Refresh-Interval-Seconds"] == "7"


def test_advancing_moves_every_service_to_the_next_step_and_stops_at_the_last(
    services: DemoServices, client: httpx.Client
) -> None:
    assert services.step == 0
    assert [services.advance() for _ in range(history.STEPS)] == [1, 2, 3, 4, 5, 6, 7, 8, 8]
    answer = client.get("/mirror/v2/drops").json()
    assert answer["lastUpdatedAt"] == "2031-05-04T12:34:56.000Z"
    assert answer["data"] == history.mirror_drops(NOW, 8, services.base_url)
    kick = client.get("/kick/api/v1/drops/campaigns").json()
    assert kick == history.kick_campaigns(NOW, 8, services.base_url)


def test_the_date_header_is_the_time_of_the_step(services: DemoServices, client: httpx.Client) -> None:
    services.advance()
    answered_at = parsedate_to_datetime(client.get("/kick/api/v1/drops/campaigns").headers["Date"])
    assert answered_at == NOW - timedelta(hours=7)


@pytest.mark.parametrize("path", ENDPOINTS)
def test_an_unchanged_answer_is_a_304_without_a_body(client: httpx.Client, path: str) -> None:
    first = client.get(path).raise_for_status()
    for tags in (first.headers["ETag"], f'"other", W/{first.headers["ETag"]}', "*"):
        again = client.get(path, headers={"If-None-Match": tags})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["ETag"] == first.headers["ETag"]
    assert client.get(path, headers={"If-None-Match": '"other"'}).content == first.content


def test_the_next_step_has_another_etag(services: DemoServices, client: httpx.Client) -> None:
    etag = client.get("/mirror/v2/drops").headers["ETag"]
    services.advance()
    assert client.get("/mirror/v2/drops", headers={"If-None-Match": etag}).status_code == 200


@pytest.mark.parametrize("path", ENDPOINTS)
def test_a_head_has_the_headers_of_the_get_and_no_body(client: httpx.Client, path: str) -> None:
    whole, head = client.get(path), client.head(path)
    assert head.content == b""
    for name in ("Content-Length", "Content-Type", "ETag", "Date"):
        assert head.headers[name] == whole.headers[name]


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_an_unknown_chzzk_number_is_a_404_in_chzzks_own_words(client: httpx.Client, version: str) -> None:
    answer = client.get(f"/chzzk/service/{version}/drops/campaigns/1205")
    assert answer.status_code == 404
    assert answer.json() == {"code": 404, "message": answer.json()["message"], "content": None}
    assert answer.json()["message"]


def test_a_known_chzzk_number_comes_in_the_shape_of_the_version_asked_for(client: httpx.Client) -> None:
    old = client.get("/chzzk/service/v1/drops/campaigns/1201").json()
    new = client.get("/chzzk/service/v2/drops/campaigns/1201").json()
    assert (old["code"], old["message"]) == (new["code"], new["message"]) == (200, None)
    assert old["content"]["campaignRewardType"] == new["content"]["rewardType"] == "IN_APP"


def test_every_picture_that_any_payload_names_is_there_and_is_well_formed_svg(
    services: DemoServices, client: httpx.Client
) -> None:
    for _ in range(history.STEPS - 1):
        services.advance()
    paths = [path.replace("1201", str(number)) for path in ENDPOINTS for number in (1201, 1206, 1209)]
    addresses = set().union(*(picture_addresses(client.get(path).json()) for path in paths))
    assert len(addresses) > 100
    for address in addresses:
        answer = client.get(address).raise_for_status()
        assert answer.headers["Content-Type"].startswith("image/svg+xml")
        assert ET.fromstring(answer.text).tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314  our own text


def test_box_art_comes_in_any_size_with_or_without_the_igdb_mark(client: httpx.Client) -> None:
    game = client.get("/mirror/drops").json()[0]["gameId"]
    for name in (f"{game}-285x380.jpg", f"{game}_IGDB-285x380.jpg"):
        picture = client.get(f"/ttv-boxart/{name}").raise_for_status().text
        assert 'width="285" height="380"' in picture


@pytest.mark.parametrize("path", ["/", "/mirror", "/ttv-boxart/1-120x160.jpg", "/mirror/../etc/passwd"])
def test_other_paths_are_not_found(services: DemoServices, client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 404
    assert services.served == {}


def test_the_server_remembers_which_step_each_path_was_served_at(services: DemoServices, client: httpx.Client) -> None:
    etag = client.get("/mirror/v2/drops?page=1").headers["ETag"]
    client.head("/mirror/v2/rewards")
    client.get("/mirror/v2/drops", headers={"If-None-Match": etag})
    services.advance()
    client.get("/mirror/v2/drops")
    client.get("/chzzk/service/v2/drops/campaigns/1205")
    services.wait_served("/mirror/v2/drops", 0, timeout=60)
    services.wait_served("/mirror", 1, timeout=60)
    services.wait_served("/chzzk", 1, timeout=60)
    assert services.served == {
        "/mirror/v2/drops": {0, 1},
        "/chzzk/service/v2/drops/campaigns/1205": {1},
    }


def test_waiting_for_what_nobody_fetches_says_what_was_fetched(services: DemoServices, client: httpx.Client) -> None:
    client.get("/mirror/v2/drops")
    services.wait_served("/mirror/v2/drops", 0, timeout=60)
    with pytest.raises(TimeoutError, match=r"/kick was fetched at step 0.*/mirror/v2/drops': \[0\]"):
        services.wait_served("/kick", 0, timeout=0)


def test_nothing_answers_after_the_end() -> None:
    with DemoServices(NOW) as services:
        address = services.mirror_url
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{address}/v2/drops", trust_env=False, verify=NO_CERTIFICATES)


def test_bodies_are_utf_8_that_a_person_can_read(client: httpx.Client) -> None:
    answer = client.get("/chzzk/service/v2/drops/campaigns/1201")
    assert "달빛 대장간" in answer.content.decode()
    assert json.loads(answer.content) == answer.json()


def test_igdb_has_no_game(client: httpx.Client) -> None:
    answer = client.post("/igdb/v4/games", content="fields name; where id = 1;").raise_for_status()
    assert answer.json() == []
    assert answer.headers["X-Count"] == "0"
