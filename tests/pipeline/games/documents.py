"""Documents of IGDB, made for a test."""

import json
from typing import Any

from pipeline.services.igdb.documents import Document, document


def encode(value: Any) -> bytes:
    return json.dumps(value).encode()


def game(igdb_id: int = 1, name: str | None = "Lanterns of Aldmoor", **fields: Any) -> dict[str, Any]:
    """A row of /games as IGDB writes it, without the fields that are None."""
    row = {"id": igdb_id, "name": name, "slug": f"game-{igdb_id}", **fields}
    return {key: value for key, value in row.items() if value is not None}


def doc(igdb_id: int = 1, name: str | None = "Lanterns of Aldmoor", **fields: Any) -> Document:
    return document(encode(game(igdb_id, name, **fields)))


def release(igdb_id: int, date: int = 1798675200, date_format: int = 0, **fields: Any) -> dict[str, Any]:
    return {"id": igdb_id, "date": date, "date_format": date_format, "platform": 6, **fields}
