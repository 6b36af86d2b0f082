"""The headlines of events about releases and games, and the addresses of their pictures."""

from typing import Any

import pytest

from models.events import EventDetail, EventKind
from pipeline.igdb.covers import box_art, cover_url
from pipeline.wording import title

PC = ("PC",)
MANY = ("PC", "PlayStation 5", "Nintendo Switch", "Xbox One", "Mac", "Linux")


@pytest.mark.parametrize(
    ("kind", "told", "said"),
    [
        ("announced", {"when": "2026-Q4"}, "Rust: release announced for Q4 2026"),
        ("announced", {"when": "2026", "platforms": PC}, "Rust: release announced for 2026 (PC)"),
        ("announced", {"when": "tbd", "stage": "beta"}, "Rust: beta announced, date to be determined"),
        (
            "announced",
            {"when": "2026-11", "platforms": MANY},
            "Rust: release announced for November 2026 (PC, PlayStation 5, Nintendo Switch, Xbox One and 2 more)",
        ),
        (
            "precised",
            {"when": "2026-11-01", "when_before": "2026-Q4"},
            "Rust: release now dated 1 November 2026, was Q4 2026",
        ),
        ("precised", {"when": "2027", "when_before": "tbd"}, "Rust: release now dated 2027"),
        (
            "moved",
            {"when": "2026-11-02", "when_before": "2026-11-01", "days": 1},
            "Rust: release moved by 1 day to 2 November 2026, was 1 November 2026",
        ),
        (
            "moved",
            {"when": "2026-11-21", "when_before": "2026-11-01", "days": 20, "is_delay": True},
            "Rust: release delayed by 20 days to 21 November 2026, was 1 November 2026",
        ),
        (
            "moved",
            {"when": "2027-Q2", "when_before": "2026-Q4", "days": 181, "is_delay": True},
            "Rust: release delayed by about 6 months to Q2 2027, was Q4 2026",
        ),
        (
            "moved",
            {"when": "2029", "when_before": "2026", "days": 1096, "is_delay": True},
            "Rust: release delayed by about 3 years to 2029, was 2026",
        ),
        (
            "moved",
            {"when": "2026-Q3", "when_before": "2026-Q4", "days": -92, "stage": "early access"},
            "Rust: early access moved forward by about 3 months to Q3 2026, was Q4 2026",
        ),
        (
            "moved",
            {"when": "2026-Q4", "when_before": "2026-12-31", "days": 0},
            "Rust: release changed to Q4 2026, was 31 December 2026",
        ),
        (
            "moved",
            {"when": "tbd", "when_before": "2026", "is_delay": True},
            "Rust: release postponed, date to be determined, was 2026",
        ),
        ("out", {"when": "2026-11-21", "platforms": PC}, "Rust is out (PC) – 21 November 2026"),
        (
            "out",
            {"when": "2026-11-21", "stage": "advanced access"},
            "Rust is out in advanced access – 21 November 2026",
        ),
        ("out", {"when": "2026-11-21", "stage": "next-gen patch"}, "Rust is out as next-gen patch – 21 November 2026"),
        ("cancelled", {"platforms": PC, "when_before": "tbd"}, "Rust: release cancelled (PC)"),
        (
            "cancelled",
            {"when_before": "2026", "reason": "IGDB no longer lists it"},
            "Rust: release no longer listed, was planned for 2026",
        ),
    ],
)
def test_a_release_is_headed_by_what_happened_to_it(kind: str, told: dict[str, Any], said: str) -> None:
    assert title(EventKind(f"release.{kind}"), "igdb", EventDetail(game="Rust", **told)) == said


def test_a_game_is_headed_by_what_it_is() -> None:
    assert title(EventKind.GAME_ADDED, "igdb", EventDetail(game="Rust")) == "New game: Rust"
    detail = EventDetail(game="Rust", name="Rust: Depths", stage="DLC")
    assert title(EventKind.GAME_ADDED, "igdb", detail) == "New DLC for Rust: Rust: Depths"


@pytest.mark.parametrize(
    ("address", "cover_id", "shown"),
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
    address: str | None, cover_id: str | None, shown: str | None
) -> None:
    assert box_art(address, cover_id) == shown


def test_a_cover_has_many_sizes() -> None:
    assert cover_url("co1", "720p") == "https://images.igdb.com/igdb/image/upload/t_720p/co1.jpg"
