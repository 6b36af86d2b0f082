"""ROMs."""

from sqlalchemy import insert

from models import Rom, RomFolder
from tests.pipeline.web.api.ownership import Case, Path, World


def make_folder(world: World, person_id: int) -> Path:
    name = f"/roms/{world.name()}"
    row = {"person_id": person_id, "path": name.encode(), "shown": name, "added_at": world.now}
    with world.engine.begin() as connection:
        made = insert(RomFolder).values(row | {"next_due_at": world.now}).returning(RomFolder.id)
        return {"folder": connection.execute(made).scalar_one()}


def make_rom(world: World, person_id: int) -> Path:
    name = world.name()
    folder_id = make_folder(world, person_id)["folder"]
    row = {"folder_id": folder_id, "kind": "file", "written": name, "title": name, "title_key": name}
    with world.engine.begin() as connection:
        made = insert(Rom).values(row | {"added_at": world.now}).returning(Rom.id)
        return {"rom": connection.execute(made).scalar_one()}


CASES = [
    Case(operation="roms.show_rom", make=make_rom),
    Case(operation="roms.show_folder", make=make_folder),
    Case(operation="roms.remove_folder", make=make_folder),
    Case(operation="roms.scan_folder", make=make_folder),
]
