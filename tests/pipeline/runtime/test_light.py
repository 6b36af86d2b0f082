"""Processes that start often or live long import no more than they need."""

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
    """Return the packages that a new interpreter has imported after running the code."""
    done = subprocess.run([sys.executable, "-c", f"{code}\n{PRINT}"], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


@pytest.mark.parametrize(
    ("code", "needed"),
    [
        pytest.param("import pipeline.runtime.foreground", set(), id="the supervisor"),
        pytest.param("import pipeline.runtime.nursery", set(), id="the nursery, before it loads"),
        pytest.param("import pipeline.embedded.host", set(), id="the servers' host"),
        pytest.param("import tasks.beat", {"celery", "kombu", "pydantic"}, id="beat"),
        pytest.param(HELP, {"msgspec", "rich", "typer"}, id="a help"),
        pytest.param(
            "import pipeline.cli.status",
            {"msgspec", "pydantic", "rich", "typer"},
            id="the command `status`, until it knows that servers can run",
        ),
        pytest.param(
            "import pipeline.cli.standing, pipeline.runtime.servers, sqlalchemy.dialects.postgresql.psycopg",
            {"msgspec", "psycopg", "pydantic", "rich", "sqlalchemy", "typer"},
            id="the command `status`",
        ),
    ],
)
def test_nothing_heavy_is_imported_that_is_not_needed(code: str, needed: set[str]) -> None:
    assert imported_by(code) & HEAVY <= needed


def test_the_nursery_loads_what_workers_need_and_opens_nothing() -> None:
    code = "import sys, threading, tasks.preload; sys.stdout.write(f'{threading.active_count()} ')"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport json; print(json.dumps(sorted(sys.modules)))"],
        capture_output=True,
        text=True,
        check=True,
    )
    threads, _, listed = done.stdout.partition(" ")
    loaded = set(json.loads(listed))
    assert threads == "1"
    assert {
        "sqlalchemy.dialects.postgresql.psycopg",
        "celery.concurrency.prefork",
        "pipeline.runtime.runtime",
    } <= loaded
    # Importing it opens the runtime, which each fork has to do for itself.
    assert "tasks.worker" not in loaded
