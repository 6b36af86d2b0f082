"""The events of bench/api.py by FastAPI and pydantic, over the same query; run by `uv run --with fastapi`."""

import asyncio
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import fastapi
import msgspec
import pydantic

from bench._asking import Asker, measure
from pipeline.database.connecting import connect
from pipeline.events.listing import EventFilter, Viewer, list_events

engine = connect(sys.argv[1])
app = fastapi.FastAPI()


class Subjects(pydantic.BaseModel):
    game: str | None = None
    organization: str | None = None
    campaign: str | None = None
    reward_campaign: str | None = None
    channel: str | None = None
    service: str | None = None


class Line(pydantic.BaseModel):
    id: int
    kind: str
    key: str
    title: str
    occurred_at: datetime
    recorded_at: datetime
    source: str | None
    subjects: Subjects
    silent: bool
    detail: dict[str, Any]


class Lines(pydantic.BaseModel):
    items: list[Line]
    next: str | None


@app.get("/api/v1/events")
def events(limit: int = 100, cursor: str | None = None) -> Lines:
    with engine.begin() as connection:
        after = None if cursor is None else int(cursor)
        rows = list_events(connection, EventFilter(), viewer=Viewer(person_id=1), after=after, limit=limit + 1)
    items = [Line.model_validate(_plain(row)) for row in rows[:limit]]
    return Lines(items=items, next=str(items[-1].id) if len(rows) > limit else None)


def _plain(row: Any) -> dict[str, Any]:
    fields = msgspec.structs.asdict(row)
    return fields | {"subjects": msgspec.structs.asdict(row.subjects), "detail": msgspec.json.decode(row.detail)}


if __name__ == "__main__":
    asker = Asker(app, {"host": "localhost"})
    print(asyncio.run(measure(asker, "/api/v1/events", f"limit=50&cursor={sys.argv[3]}", int(sys.argv[2]))))
