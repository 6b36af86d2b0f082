"""What must be true of the repository itself."""

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect, text

from models import Base
from models.errors import LootwireError
from pipeline.database.connecting import MIGRATIONS, alembic_config, migrate, newest_revision
from tests.paths import CHECKOUT

PUBLIC_HOSTS = {"pypi.org", "files.pythonhosted.org"}
# Paths that only one machine has; written so that this file does not find itself.
OF_ONE_MACHINE = re.compile(r"(?<![\w.~])/" + r"(?:work|root)/[\w.-]")


def tracked() -> list[Path]:
    """Every file that git tracks."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=CHECKOUT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("this is no git checkout")
    return [CHECKOUT / name for name in listed.stdout.decode().split("\0") if name and (CHECKOUT / name).is_file()]


def test_the_lock_file_names_public_hosts_over_https_only() -> None:
    lock = (CHECKOUT / "uv.lock").read_text(encoding="utf-8")

    addresses = re.findall(r"([a-z][a-z0-9+]*)://([^/\"'\s]*)", lock)

    assert {host for _, host in addresses} == PUBLIC_HOSTS
    assert {scheme for scheme, _ in addresses} == {"https"}
    sources = [package["source"] for package in tomllib.loads(lock)["package"]]
    assert {tuple(source.items()) for source in sources} <= {
        (("registry", "https://pypi.org/simple"),),
        (("editable", "."),),
    }


def test_no_tracked_file_names_a_path_of_one_machine() -> None:
    paths = []
    for path in tracked():
        try:
            content = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        paths += [f"{path.relative_to(CHECKOUT)}: {match[0]}" for match in OF_ONE_MACHINE.finditer(content)]

    assert paths == []


def test_the_search_for_such_paths_would_find_one() -> None:
    assert OF_ONE_MACHINE.search("see /" + "work/main/x.py")
    assert OF_ONE_MACHINE.search('"/' + 'root/.cache"')
    assert not OF_ONE_MACHINE.search("a/work/b and /workers/x and https://example.org/root/x")


def test_there_is_exactly_one_head_of_the_migrations() -> None:
    assert len(ScriptDirectory(str(MIGRATIONS)).get_heads()) == 1


def differences(connection: Connection) -> list[object]:
    """What Alembic would still change to make the database what the models say."""
    options = {"compare_type": True, "compare_server_default": True}
    changes: list[object] = compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata)
    return changes


def test_migrations_lead_to_what_the_models_say(engine: Engine) -> None:
    with engine.connect() as connection:
        assert differences(connection) == []


def test_the_comparison_of_models_and_database_would_see_a_difference(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE games DROP COLUMN box_art_url"))
        connection.execute(text("DROP INDEX ix_events_occurred_at"))

        assert len(differences(connection)) == 2


def test_migrations_go_down_to_nothing_and_up_again(engine: Engine) -> None:
    with engine.begin() as connection:
        command.downgrade(alembic_config(connection), "base")
        assert set(inspect(connection).get_table_names()) == {"alembic_version"}

    migrate(engine)

    with engine.connect() as connection:
        assert differences(connection) == []


def test_migrating_a_database_that_is_up_to_date_changes_nothing(engine: Engine) -> None:
    def state(connection: Connection) -> tuple[object, ...]:
        tables = connection.scalar(text("SELECT array_agg(oid || ':' || xmin ORDER BY oid) FROM pg_class"))
        return tables, connection.scalar(text("SELECT version_num FROM alembic_version"))

    with engine.connect() as connection:
        before = state(connection)
    migrate(engine)

    with engine.connect() as connection:
        assert state(connection) == before


def test_a_database_of_a_newer_version_is_refused_with_what_to_do(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(LootwireError, match=r"newer version \(9999\).*update the program"):
        migrate(engine)


def test_an_empty_database_is_migrated_from_nothing(empty_engine: Engine) -> None:
    migrate(empty_engine)

    with empty_engine.connect() as connection:
        assert set(Base.metadata.tables) <= set(inspect(connection).get_table_names())


def test_a_naive_time_cannot_be_stored_as_anything_but_utc(engine: Engine) -> None:
    with engine.connect() as connection:
        assert connection.scalar(text("SHOW timezone")) == "UTC"
    untyped = [
        f"{table.name}.{column.name}"
        for table in Base.metadata.tables.values()
        for column in table.columns
        if column.name.endswith(("_at", "_until", "_since")) and getattr(column.type, "timezone", None) is not True
    ]
    assert untyped == []


def test_the_newest_migration_is_known_by_its_file_name() -> None:
    assert newest_revision() == ScriptDirectory(str(MIGRATIONS)).get_current_head()


def modules_called_pure() -> list[str]:
    """Every module of the product whose docstring says `Pure`."""
    names = []
    for path in tracked():
        place = path.relative_to(CHECKOUT).with_suffix("")
        if path.suffix == ".py" and place.parts[0] in {"pipeline", "notifiers", "feeds", "models"}:
            docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
            if re.search(r"\bPure\b", docstring):
                names.append(".".join(place.parts).removesuffix(".__init__"))
    return names


def test_a_contract_holds_every_module_that_is_called_pure() -> None:
    contracts = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    held = {name for contract in contracts["contracts"] for name in contract.get("source_modules", ())}

    loose = [name for name in modules_called_pure() if not any(f"{name}.".startswith(f"{room}.") for room in held)]

    assert held
    assert loose == []
