"""Libraries, journals and where libraries come from."""

from sqlalchemy import insert, select

from models import ImportLine, LibraryAccount, LibraryImport
from pipeline.library.journal.entries import Addition, add_entry
from pipeline.library.journal.games import GameOfWork, own_game
from pipeline.library.journal.playthroughs import add_playthrough
from pipeline.library.journal.turns import begin_writing
from pipeline.library.store.accounts import save_account
from tests.pipeline.web.api.ownership import Case, Path, World


def make_game(world: World, person_id: int) -> GameOfWork:
    with world.engine.begin() as connection:
        begin_writing(connection)
        game = own_game(connection, world.name(), world.now)
        add_entry(connection, person_id, Addition(game=game), world.now)
    return game


def make_work(world: World, person_id: int) -> Path:
    return {"work": make_game(world, person_id).work_id}


def make_titled(world: World, person_id: int) -> Path:
    return {"work": make_game(world, person_id).name}


def make_playthrough(world: World, person_id: int) -> Path:
    game = make_game(world, person_id)
    with world.engine.begin() as connection:
        begin_writing(connection)
        written = add_playthrough(connection, person_id, game, {"finished": "2003"}, world.now, world.now.date())
    return {"playthrough": written.id}


def make_settled_line(world: World, person_id: int) -> Path:
    """Make a line that could not be read and was put aside."""
    name = world.name()
    file = {"person_id": person_id, "format": "csv", "name": name, "digest": name.encode(), "started_at": world.now}
    with world.engine.begin() as connection:
        import_id = connection.execute(insert(LibraryImport).values(file).returning(LibraryImport.id)).scalar_one()
        line = {"import_id": import_id, "line": 1, "written": name, "record": {}, "verdict": "invalid"}
        line |= {"explanation": "it is none", "settled_at": world.now}
        return {"line": connection.execute(insert(ImportLine).values(line).returning(ImportLine.id)).scalar_one()}


def make_account(world: World, person_id: int) -> Path:
    name = world.name()
    with world.engine.begin() as connection:
        save_account(
            connection,
            person_id=person_id,
            service="steam",
            external_id=name,
            name=name,
            key_encrypted=world.vault.encrypt("key"),
            now=world.now,
        )
        query = select(LibraryAccount.id).where(LibraryAccount.external_id == name)
        return {"account": connection.execute(query).scalar_one()}


CASES = [
    Case(operation="library.show_work", make=make_work),
    Case(operation="library.show_work", make=make_titled),
    Case(operation="library.set_work", make=make_work, body={"notes": "!"}),
    Case(operation="library.forget_work", make=make_work),
    Case(operation="library.hide_work", make=make_work),
    Case(operation="library.unhide_work", make=make_work),
    Case(operation="library.show_origins", make=make_work),
    Case(operation="library.undo_line", make=make_settled_line),
    Case(operation="library.sync_account", make=make_account),
    Case(operation="library.sign_out", make=make_account),
    Case(operation="playthroughs.show_playthrough", make=make_playthrough),
    Case(operation="playthroughs.edit_playthrough", make=make_playthrough, body={"notes": "!"}),
    Case(operation="playthroughs.remove_playthrough", make=make_playthrough),
]
