"""Every bad value in every place of Helix' and IGDB's answers: it costs at most the row that it stands in."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from pipeline.errors import InvalidItem, SourceChanged
from pipeline.fetch.http import Reply
from pipeline.games.sources.webhooks import read_hint
from pipeline.services.igdb.documents import split_documents
from pipeline.services.igdb.parse import parse_game
from pipeline.services.twitch import helix_shapes as shapes
from pipeline.services.twitch.helix_eventsub import read_subscription
from pipeline.services.twitch.helix_requests import read_envelope, read_rows
from tests.pipeline.builders import START, Json, stamp
from tests.pipeline.games.documents import game, release
from tests.pipeline.sweep import sweep

AT = stamp(START)
ROWS: dict[str, tuple[Callable[[msgspec.Raw], object], Json]] = {
    "users": (
        shapes.parse_user,
        {"id": "1", "login": "a", "display_name": "A", "description": "", "profile_image_url": "https://x"},
    ),
    "streams": (
        shapes.parse_stream,
        {"id": "1", "user_id": "1", "user_login": "a", "user_name": "A", "started_at": AT, "game_id": "7"}
        | {"game_name": "G", "title": "t", "viewer_count": 3, "language": "en", "tags": ["x"], "type": "live"}
        | {"thumbnail_url": "https://x-{width}x{height}.jpg"},
    ),
    "channels": (
        shapes.parse_channel,
        {"broadcaster_id": "1", "broadcaster_login": "a", "broadcaster_name": "A", "broadcaster_language": "en"}
        | {"game_id": "7", "game_name": "G", "title": "t", "tags": ["x"]},
    ),
    "games": (shapes.parse_category, {"id": "1", "name": "G", "box_art_url": "https://x", "igdb_id": "7"}),
    "videos": (
        shapes.parse_video,
        {"id": "1", "user_id": "1", "title": "t", "url": "https://x", "published_at": AT, "duration": "1h2m3s"}
        | {"type": "archive", "stream_id": None, "thumbnail_url": "https://x"},
    ),
    "eventsub/subscriptions": (
        read_subscription,
        {"id": "1", "status": "enabled", "type": "stream.online", "version": "1", "created_at": AT, "cost": 1}
        | {"condition": {"broadcaster_user_id": "1"}, "transport": {"method": "conduit", "conduit_id": "c"}},
    ),
}


@pytest.mark.parametrize("path", ROWS)
def test_a_bad_value_in_an_answer_of_helix_costs_at_most_its_row(path: str) -> None:
    parse, row = ROWS[path]
    answer = {
        "data": [row, row | {"more": 1}, row],
        "pagination": {"cursor": "next"},
        "total": 3,
        "total_cost": 1,
        "max_total_cost": 10,
        "errors": [{"id": "0", "message": "no", "code": "c"}],
    }
    lost = []
    for where, bad, sent in sweep(answer):
        if where[:1] == ("data",) and where[1:2] != (1,):
            continue  # the list itself, and the first and the last row, which are as the middle one
        try:
            envelope = read_envelope(Reply(status=200, headers={}, body=sent), path)
            rows = read_rows(envelope.data, parse, path)
        except SourceChanged as error:
            lost += [(where, bad, str(error))] if where else []
            continue
        # Whatever else the answer says of itself can be asked for.
        said = (envelope.cursor, envelope.has_bad_cursor, envelope.total, envelope.total_cost, envelope.errors)
        if where and len(rows) < (2 if where[0] == "data" else 3):
            lost.append((where, bad, str(said)))

    assert lost == []


def test_a_bad_value_in_a_page_of_igdb_costs_at_most_its_game() -> None:
    rich: Any = game(
        release_dates=[release(1)],
        platforms=[{"id": 6, "name": "PC", "abbreviation": "PC", "platform_family": {"id": 1, "name": "F"}}],
        cover={"id": 3, "image_id": "co1"},
        genres=[{"id": 1, "name": "Puzzle"}],
        involved_companies=[{"id": 1, "company": {"id": 2, "name": "Tide"}, "developer": True, "publisher": False}],
        external_games=[{"id": 1, "external_game_source": 1, "uid": "10"}],
        alternative_names=[{"id": 1, "name": "HL"}],
        total_rating=81.5,
        total_rating_count=9,
        first_release_date=1_700_000_000,
        updated_at=1_700_000_000,
    )
    page = [rich | {"id": number} for number in (1, 2, 3)]
    lost = []
    for where, bad, sent in sweep(page, under=(1,)):
        answer = split_documents(sent)
        ids = set()
        for document in answer.documents:
            try:
                record = parse_game(document.raw).record
            except InvalidItem:
                continue
            assert b"\\u0000" not in msgspec.json.encode(record)
            ids.add(record.igdb_id)
        # A part that cannot be read costs that part, unless it is the id.
        wanted = {1, 3} if where in {(1,), (1, "id")} else {1, 2, 3}
        if not ids >= wanted:
            lost.append((where, bad, str(sorted(ids))))

    assert lost == []


def test_a_hint_of_igdb_with_a_readable_id_is_taken_whatever_else_it_holds() -> None:
    row = {"id": 7, "game": 8, "name": "Harbour", "platform": 6, "cover": {"id": 1}}

    for where, _, sent in sweep(row):
        if where not in {(), ("id",)}:
            assert read_hint("release_dates", "update", sent).id == 7
        elif not where:
            with pytest.raises(InvalidItem):
                read_hint("release_dates", "update", sent)
