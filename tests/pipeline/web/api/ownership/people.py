"""People, their keys, plans and credits."""

from pipeline.people.records import SCOPES_OF
from pipeline.people.store.keys import add_key
from pipeline.people.store.people import load_person
from tests.pipeline.web.api.ownership import Case, Path, World


def make_key(world: World, person_id: int) -> Path:
    with world.engine.begin() as connection:
        role = load_person(connection, person_id).role
        return {"key": add_key(connection, person_id, world.name(), SCOPES_OF[role], world.now).public_id}


CASES = [
    Case(operation="keys.rotate_key", make=make_key),
    Case(operation="keys.revoke_key", make=make_key),
]
_ADMIN = "only an owner may ask, and of anybody"
PUBLIC = dict.fromkeys(
    [
        "people.show_person",
        "people.change_person",
        "people.disable_person",
        "people.enable_person",
        "people.invite_person",
        "people.show_removal",
        "people.remove_person",
        "keys.list_keys_of",
        "keys.add_key_of",
        "keys.rotate_key_of",
        "keys.revoke_key_of",
        "plans.show_plan",
        "plans.change_plan",
        "plans.remove_plan",
    ],
    _ADMIN,
)
