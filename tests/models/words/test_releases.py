"""The headlines of events about releases and games."""

from typing import Any

import pytest

from models.details import ReleaseDetail
from models.events import EventKind
from models.words import title

PC = ("PC",)
MANY = ("PC", "PlayStation 5", "Nintendo Switch", "Xbox One", "Mac", "Linux")


@pytest.mark.parametrize(
    ("kind", "fields", "headline"),
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
def test_a_release_is_headed_by_what_happened_to_it(kind: str, fields: dict[str, Any], headline: str) -> None:
    assert title(EventKind(f"release.{kind}"), "igdb", ReleaseDetail(game="Rust", **fields)) == headline


def test_a_game_is_headed_by_what_it_is() -> None:
    assert title(EventKind.GAME_ADDED, "igdb", ReleaseDetail(game="Rust")) == "New game: Rust"
    detail = ReleaseDetail(game="Rust", name="Rust: Depths", stage="DLC")
    assert title(EventKind.GAME_ADDED, "igdb", detail) == "New DLC: Rust: Depths"
    detail = ReleaseDetail(game="Rust", name="Depths", stage="DLC")
    assert title(EventKind.GAME_ADDED, "igdb", detail) == "New DLC for Rust: Depths"


@pytest.mark.parametrize("kind", [kind for kind in EventKind if kind.family == "release"])
def test_a_date_that_cannot_be_read_is_left_out(kind: EventKind) -> None:
    assert "None" not in title(kind, "igdb", ReleaseDetail(game="Rust", when="soon", when_before="later", days=3))
