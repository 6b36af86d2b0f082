"""Small made-up games of IGDB for tests; bench/igdb_documents.py makes large ones."""

from typing import Any

# 2026-01-01, in seconds.
NEW_YEAR = 1_767_225_600
PLATFORMS = {6: "PC (Microsoft Windows)", 48: "PlayStation 4", 130: "Nintendo Switch"}


def game(igdb_id: int, name: str | None = None, *, updated_at: int = NEW_YEAR, **more: Any) -> dict[str, Any]:
    """A document with everything expanded: even ids are on PC, every third is out on Switch too."""
    platforms = [key for key, every in ((6, 2), (130, 3), (48, 1)) if igdb_id % every == 0]
    return {
        "id": igdb_id,
        "name": name or f"Game {igdb_id}",
        "slug": f"game-{igdb_id}",
        "game_type": 0,
        "cover": {"id": igdb_id * 7, "image_id": f"co{igdb_id}", "width": 600, "height": 800},
        "first_release_date": NEW_YEAR,
        "platforms": [{"id": key, "name": PLATFORMS[key]} for key in platforms],
        "release_dates": [
            {"id": igdb_id * 10 + nth, "date": NEW_YEAR, "date_format": 0, "platform": key, "y": 2026, "m": 1}
            for nth, key in enumerate(platforms)
        ],
        "alternative_names": [{"id": igdb_id * 5, "name": f"G{igdb_id}"}],
        "updated_at": updated_at,
        **more,
    }


def games(first: int, last: int) -> list[dict[str, Any]]:
    """The games with these ids."""
    return [game(key) for key in range(first, last + 1)]
