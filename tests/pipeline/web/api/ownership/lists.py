"""Lists of games."""

from pipeline.games.following.editing import add_line, create_list
from pipeline.games.following.list_rows import NewLine, load_lines
from tests.pipeline.web.api.ownership import Case, Path, World


def make_list(world: World, person_id: int) -> Path:
    name = world.name()
    with world.engine.begin() as connection:
        create_list(connection, name, person_id, world.now, ranked=False, wants=False)
    return {"name": name}


def make_entry(world: World, person_id: int) -> Path:
    name = world.name()
    with world.engine.begin() as connection:
        row = create_list(connection, name, person_id, world.now, ranked=False, wants=False)
        add_line(connection, name, person_id, NewLine(written=world.name()), world.now, is_own=True)
        [line] = load_lines(connection, row.id)
    return {"name": name, "entry": line.id}


CASES = [
    Case(operation="lists.show_list", make=make_list),
    Case(operation="lists.change_list", make=make_list, body={"ranked": True}),
    Case(operation="lists.remove_list", make=make_list),
    Case(operation="lists.show_log", make=make_list),
    Case(operation="lists.list_entries", make=make_list),
    Case(operation="lists.add_entry", make=make_list, body={"title": "Boat Game", "own": True}),
    Case(operation="lists.remove_entry", make=make_entry),
    Case(operation="lists.move_entry", make=make_entry, body={"place": 1}),
    Case(operation="lists.note_entry", make=make_entry, body={"notes": "!"}),
    Case(operation="lists.settle_entry", make=make_entry, body={"own": True}),
]
