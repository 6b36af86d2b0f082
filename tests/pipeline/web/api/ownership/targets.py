"""Targets."""

from sqlalchemy import update

from models import Target
from notifiers.targets import add_target
from tests.pipeline.web.api.ownership import Case, Path, World


def make_target(world: World, person_id: int) -> Path:
    name = world.name()
    with world.engine.begin() as connection:
        add_target(connection, world.vault, name, "json://hooks.example.org/x", world.now)
        connection.execute(update(Target).where(Target.name == name).values(person_id=person_id))
    return {"target": name}


CASES = [
    Case(operation="targets.show_target", make=make_target),
    Case(operation="targets.pause_target", make=make_target),
]
