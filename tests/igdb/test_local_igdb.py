"""The local IGDB answers as the real one does, as far as we know that."""

import json
import threading
from typing import Any

import httpx
import pytest

from tests.igdb import LocalIgdb
from tests.igdb.games import NEW_YEAR, game
from tests.paths import RECORDINGS
from tests.plain_http import NO_CERTIFICATES

IGDB = RECORDINGS / "igdb"


def ids(client: httpx.Client, query: str, path: str = "/games") -> list[int]:
    answer = client.post(path, content=query)
    assert answer.status_code == 200, answer.text
    return [row["id"] for row in answer.json()]


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ("name", {"id": 6, "name": "Game 6"}),
        ("cover", {"cover": 42, "id": 6}),
        ("cover.image_id, platforms", {"cover": {"id": 42, "image_id": "co6"}, "id": 6, "platforms": [6, 130, 48]}),
        ("cover.*", {"cover": game(6)["cover"], "id": 6}),
        ("nothing.like.that", {"id": 6}),
    ],
)
def test_fields_are_expanded_as_asked_and_the_id_always_comes(
    client: httpx.Client, fields: str, shown: dict[str, Any]
) -> None:
    assert client.post("/games", content=f"fields {fields}; where id = 6;").json() == [shown]


def test_everything_comes_with_references_as_ids_but_for_what_is_excluded(client: httpx.Client) -> None:
    [row] = client.post("/games", content="fields *; exclude slug; where id = 6;").json()

    assert row["cover"] == 42
    assert row.keys() == game(6).keys() - {"slug"}


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("id > 28", [29, 30]),
        ("id >= 28 & id < 30", [28, 29]),
        ("id = (3, 5, 99)", [3, 5]),
        ("id <= 4 & id != 2", [1, 3, 4]),
        ("id <= 12 & platforms = [6, 130]", [6, 12]),
        ("id <= 6 & platforms = {6, 48}", [2, 4]),
        ("id <= 6 & platforms = !(6)", [1, 3, 5]),
        ("(id = 1 | id = 2) & platforms = 6", [2]),
        ('name = "Game 3"*', [3, 30]),
        ('name ~ "gAME 7"', [7]),
        ('name ~ *" 1"* & id < 12', [1, 10, 11]),
        ("id < 4 & summary = null", [1, 2, 3]),
        ("id < 4 & summary != n", []),
        (f"id < 3 & release_dates.date_format = 0 & release_dates.date >= {NEW_YEAR}", [1, 2]),
    ],
)
def test_where_means_what_it_says(client: httpx.Client, where: str, expected: list[int]) -> None:
    assert ids(client, f"fields id; where {where}; limit 500;") == expected


def test_texts_hold_escaped_quotes_and_everything_else(igdb: LocalIgdb, client: httpx.Client) -> None:
    igdb.put(game(77, 'The "last"; limit 1; \\ {'))

    assert ids(client, 'where name = "The \\"last\\"; limit 1; \\\\ {";') == [77]


def test_pages_are_cut_sorted_and_counted(client: httpx.Client) -> None:
    answer = client.post("/games", content="fields id; where id > 5; sort id desc; limit 2; offset 1;")

    assert [row["id"] for row in answer.json()] == [29, 28]
    assert answer.headers["X-Count"] == "25"
    assert len(client.post("/games", content="fields id;").json()) == 10
    assert client.post("/games/count", content="where id > 5;").json() == {"count": 25}


def test_a_search_looks_at_names_and_other_names(igdb: LocalIgdb, client: httpx.Client) -> None:
    igdb.put(game(78, "Ashen Vale", alternative_names=[{"id": 1, "name": "AV"}]))

    assert ids(client, 'search "vale ashen"; fields name;') == [78]
    assert ids(client, 'search "av"; fields name;') == [78]


def test_a_multiquery_answers_each_query_by_its_name(client: httpx.Client) -> None:
    query = 'query games/count "all" { where id > 5; }; query games "last" { fields name; sort id desc; limit 1; };'

    assert client.post("/multiquery", content=query).json() == [
        {"name": "all", "count": 25},
        {"name": "last", "result": [{"id": 30, "name": "Game 30"}]},
    ]
    assert client.post("/multiquery", content='query games "x" { };' * 11).status_code == 400


@pytest.mark.parametrize(
    "query",
    [
        *("fields", "where name = Diablo;", "limit 501;", 'search "x"; sort id;', "fields id where id = 1;"),
        *('where name = "', "nonsense;", "where id = ();"),
    ],
)
def test_what_is_no_query_gets_a_list_with_the_cause(client: httpx.Client, query: str) -> None:
    answer = client.post("/games", content=query)

    assert answer.status_code == 400
    [problem] = answer.json()
    assert problem["status"] == 400
    assert problem["title"]
    assert problem["cause"]


def test_refusals_look_like_the_real_ones(igdb: LocalIgdb, client: httpx.Client) -> None:
    assert client.post("/games", headers={"Authorization": "Bearer"}).json()["message"].startswith("Authorization")
    assert client.post("/games", headers={"Client-ID": "other"}).status_code == 401
    blocked = client.post("/games", headers={"User-Agent": ""})
    assert (blocked.status_code, "error code: 1010" in blocked.text) == (403, True)
    assert client.post("/nowhere").status_code == 404


def test_a_fifth_request_within_a_second_and_a_ninth_that_is_open_are_too_many(
    igdb: LocalIgdb, client: httpx.Client
) -> None:
    igdb.limits.per_second = 4
    answers = [client.post("/games") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200] * 4 + [429]
    assert answers[-1].json() == {"message": "Too Many Requests"}

    igdb.limits.per_second, igdb.latency = None, 0.3
    statuses: list[int] = []
    threads = [threading.Thread(target=lambda: statuses.append(client.post("/games").status_code)) for _ in range(9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] * 8 + [429]


def test_pages_may_lack_rows_that_are_counted_and_answers_may_be_scripted(
    igdb: LocalIgdb, client: httpx.Client
) -> None:
    igdb.shorten(3)
    igdb.fail("/games", 503, {"message": "down"}, times=1)

    assert client.post("/games", content="limit 10;").status_code == 503
    short = client.post("/games", content="limit 10;")
    assert (len(short.json()), short.headers["X-Count"]) == (7, "30")
    assert len(client.post("/games", content="limit 10;").json()) == 10


def test_webhooks_are_kept_until_they_are_deleted(igdb: LocalIgdb, client: httpx.Client) -> None:
    form = {"url": "https://here.example/igdb", "method": "update", "secret": "s3cret"}
    added = client.post("/games/webhooks/", data=form).json()
    assert (added["url"], added["sub_category"], added["active"]) == (form["url"], 2, True)
    assert client.post("/games/webhooks/", data=form).json()["id"] == added["id"]
    headers, body = igdb.webhook_message("update", game(5))
    assert headers["X-Secret"] == "s3cret"
    assert json.loads(body)["cover"] == 35

    assert client.delete(f"/webhooks/{added['id']}").status_code == 200
    assert client.get("/webhooks/").json() == []
    assert client.post("/games/webhooks/", data=form | {"method": "x"}).status_code == 400


@pytest.mark.recordings
@pytest.mark.skipif(not IGDB.is_dir(), reason="the recordings are not here")
def test_recorded_answers_are_served_as_they_were_recorded() -> None:
    rows = json.loads((IGDB / "gamehub_games_50_expanded.json").read_bytes())
    with LocalIgdb(rows) as igdb, httpx.Client(trust_env=False, verify=NO_CERTIFICATES) as client:
        headers = {"Client-ID": igdb.client_id, "Authorization": "Bearer any"}
        fields = ",".join(sorted(_fields(rows)))
        answer = client.post(f"{igdb.url}/games", content=f"fields {fields}; sort id; limit 500;", headers=headers)

    assert answer.json() == sorted(rows, key=lambda row: row["id"])


def _fields(value: Any, path: str = "") -> set[str]:
    """Every field that occurs, with `.*` for what was expanded as a whole."""
    names: set[str] = set()
    for item in value if isinstance(value, list) else [value]:
        if not isinstance(item, dict) or (path and "id" not in item):
            continue
        for name, inner in item.items():
            below = f"{path}.{name}".lstrip(".")
            names |= _fields(inner, below) or {below}
    return names
