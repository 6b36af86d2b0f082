"""Events."""

from sqlalchemy import insert

from models import Event
from tests.pipeline.web.api.ownership import Case, Path, World


def make_event(world: World, person_id: int) -> Path:
    name = world.name()
    row = {
        # A number that is no part of the address of a problem's page.
        "id": 10**6 + int(name[1:], 16) % 10**6,
        "kind": "play.finished",
        "event_key": name,
        "title": name,
        "occurred_at": world.now,
        "recorded_at": world.now,
        "silent": False,
        "person_id": person_id,
        "is_private": True,
        "detail": {},
    }
    with world.engine.begin() as connection:
        return {"event": connection.execute(insert(Event).values(row).returning(Event.id)).scalar_one()}


CASES = [Case(operation="events.show_event", make=make_event)]
