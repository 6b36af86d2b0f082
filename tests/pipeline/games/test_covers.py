"""The addresses of the pictures of games."""

import pytest

from models.pictures import box_art, cover_url


@pytest.mark.parametrize(
    ("address", "cover_id", "picture"),
    [
        (None, None, None),
        (None, "co1abc", "https://images.igdb.com/igdb/image/upload/t_cover_big/co1abc.jpg"),
        ("", "co1", "https://images.igdb.com/igdb/image/upload/t_cover_big/co1.jpg"),
        ("https://a.example/x-{width}x{height}.jpg", "co1", "https://a.example/x-285x380.jpg"),
        ("https://a.example/x-144x192.jpg", "co1", "https://a.example/x-144x192.jpg"),
        (None, "../../x", None),
        (None, "co1.jpg?x", None),
    ],
)
def test_a_game_is_shown_by_its_box_art_or_its_cover(
    address: str | None, cover_id: str | None, picture: str | None
) -> None:
    assert box_art(address, cover_id) == picture


def test_a_cover_has_many_sizes() -> None:
    assert cover_url("co1", "720p") == "https://images.igdb.com/igdb/image/upload/t_720p/co1.jpg"
