"""What a message says of a release date or a game, in text, HTML and Markdown."""

from typing import Any

import pytest

from models.events import EventKind
from notifiers.render import Limits, render_message
from tests.notifiers.world import HOSTILE, event_text

COVER = "https://images.igdb.com/igdb/image/upload/t_cover_big/co1.jpg"
MOVED: dict[str, Any] = {
    "game": "Rust",
    "url": "https://www.igdb.com/games/rust",
    "box_art_url": COVER,
    "platforms": ("PC", "PlayStation 5 (Japan)"),
    "when": "2027-Q1",
    "when_before": "2026-12-01",
    "days": 120,
    "is_delay": True,
}


def test_a_move_is_told_with_both_dates_and_what_it_means() -> None:
    message = render_message([event_text("Rust: delayed", kind="release.moved", **MOVED)], Limits(pictures=True))

    assert message.text.splitlines() == [
        "Game: Rust",
        "Platforms: PC, PlayStation 5 (Japan)",
        "Date: Q1 2027",
        "Before: 1 December 2026",
        "Delay: about 4 months",
        "",
        "Details: https://www.igdb.com/games/rust",
    ]
    assert f'<img src="{COVER}"' in message.html
    assert "Date:</span> Q1 2027" in message.html
    assert "Date: **Q1 2027**" in message.markdown
    assert "2027-03-31" not in message.text + message.html + message.markdown


@pytest.mark.parametrize(
    ("kind", "fields", "lines"),
    [
        ("release.announced", {"when": "tbd", "platforms": ("PC",)}, ["Platform: PC", "Date: to be determined"]),
        ("release.out", {"when": "2026-11-21", "stage": "early access"}, ["As: early access", "Out: 21 November 2026"]),
        (
            "release.moved",
            {"when": "tbd", "when_before": "2026", "is_delay": True},
            ["Delay: nobody knows for how long"],
        ),
        (
            "release.moved",
            {"when": "2026-11-01", "when_before": "2026-11-02", "days": -1},
            ["Difference: 1 day earlier"],
        ),
        (
            "release.cancelled",
            {"when_before": "2026-Q4", "reason": "IGDB no longer lists it"},
            ["Before: Q4 2026", "Reason: IGDB no longer lists it"],
        ),
        ("game.added", {"name": "Rust: Depths", "stage": "DLC"}, ["Entry: Rust: Depths", "Kind: DLC"]),
    ],
)
def test_a_message_says_what_is_known_and_no_more(kind: str, fields: dict[str, Any], lines: list[str]) -> None:
    text = render_message([event_text(kind=kind, game="Rust", **fields)]).text

    assert set(lines) <= set(text.splitlines())
    assert "None" not in text


@pytest.mark.parametrize("kind", [kind for kind in EventKind if kind.family in {"release", "game"}])
def test_a_release_of_which_nothing_is_known_makes_a_message_too(kind: EventKind) -> None:
    assert render_message([event_text("Something", kind=kind)]).text == "Something"


def test_texts_from_outside_do_no_harm_in_a_release() -> None:
    hostile = {"game": HOSTILE, "name": HOSTILE, "platforms": (HOSTILE,), "stage": HOSTILE, "reason": HOSTILE}
    message = render_message([event_text(HOSTILE, kind="release.moved", when=HOSTILE, when_before="x", **hostile)])

    assert "<script" not in message.html
    assert "@everyone" not in message.text + message.html + message.markdown


def test_several_releases_are_one_message_with_a_line_for_each() -> None:
    events = [event_text(f"Rust {number} is out", kind="release.out", when="2026-11-21") for number in range(3)]

    message = render_message([*events, event_text("Rust: delayed", kind="release.moved", **MOVED)])

    assert message.title == "3 games out, 1 release moved"
    assert "Rust 2 is out" in message.text
