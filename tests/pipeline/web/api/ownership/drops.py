"""What is claimed or ignored: a game that a library alone brought here is its person's."""

from tests.pipeline.web.api.ownership import Case, Path, World
from tests.pipeline.web.api.ownership.games import make_game


def make_thing(world: World, person_id: int) -> Path:
    return {"thing": make_game(world, person_id)["game"]}


CASES = [
    Case(operation="drops.settle_drop", make=make_thing, body={"state": "claimed"}),
    Case(operation="drops.want_drop", make=make_thing),
]
