"""Sounds as rows, for tests of what is made of them."""

import hashlib
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert, select

from models import Rendition, Sound

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)


def add_sound(connection: Connection, data_dir: Path, file: Path | None, **values: Any) -> int:
    """Keep a file as the original of a sound below a data directory; returns the sound's id."""
    content = file.read_bytes() if file is not None else values.get("title", "").encode()
    digest = hashlib.sha256(content)
    original = None
    if file is not None:
        original = f"sounds/originals/{digest.hexdigest()[:2]}/{digest.hexdigest()}{file.suffix}"
        (data_dir / original).parent.mkdir(parents=True, exist_ok=True)
        (data_dir / original).write_bytes(content)
    row = {
        "public_id": str(uuid.uuid4()),
        "kind": "track",
        "sha256": digest.digest(),
        "size": len(content),
        "title": "Harbour",
        "original": original,
        "added_at": NOON,
    }
    return connection.execute(insert(Sound).values(row | values).returning(Sound.id)).scalar_one()


def rendition(connection: Connection, rendition_id: int) -> Any:
    return connection.execute(select(*Rendition.__table__.c).where(Rendition.id == rendition_id)).one()
