"""What starts often or lives long imports no more than it needs."""

import json
import subprocess
import sys

import pytest

HEAVY = {
    "alembic",
    "apprise",
    "celery",
    "cryptography",
    "feedgen",
    "httpx",
    "jinja2",
    "kombu",
    "msgspec",
    "psycopg",
    "pydantic",
    "redis",
    "rich",
    "sqlalchemy",
    "starlette",
    "typer",
    "uvicorn",
    "websockets",
}
PRINT = "import json, sys; print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
HELP = """
import contextlib, os
from pipeline import cli
with contextlib.redirect_stdout(open(os.devnull, "w")), contextlib.suppress(SystemExit):
    cli.run(["--help"])
"""


def imported_by(code: str) -> set[str]:
    """The packages that an interpreter has imported after some code."""
    done = subprocess.run([sys.executable, "-c", f"{code}\n{PRINT}"], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


@pytest.mark.parametrize(
    ("code", "needed"),
    [
        pytest.param("import pipeline.foreground", set(), id="the supervisor"),
        pytest.param("import pipeline.nursery", set(), id="the nursery, before it loads"),
        pytest.param("import pipeline.embedded.host", set(), id="the servers' host"),
        pytest.param("import tasks.beat", {"celery", "kombu", "pydantic"}, id="beat"),
        pytest.param(HELP, {"msgspec", "rich", "typer"}, id="a help"),
        pytest.param(
            "import pipeline.cli, pipeline.cli.status, pipeline.servers, sqlalchemy.dialects.postgresql.psycopg",
            {"msgspec", "psycopg", "pydantic", "rich", "sqlalchemy", "typer"},
            id="the command `status`",
        ),
    ],
)
def test_nothing_heavy_is_imported_that_is_not_needed(code: str, needed: set[str]) -> None:
    assert imported_by(code) & HEAVY <= needed


def test_a_worker_imports_next_to_nothing_after_its_fork() -> None:
    code = """
import tasks.preload
loaded = set(sys.modules)
"""
    listed = subprocess.run(
        [sys.executable, "-c", "import sys, json" + code + "print(json.dumps(sorted(loaded)))"],
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(json.loads(listed.stdout))
    for module in ("sqlalchemy.dialects.postgresql.psycopg", "celery.concurrency.prefork", "pipeline.runtime"):
        assert module in loaded
    # Opened at its import, it is a fork's own.
    assert "tasks.worker" not in loaded
