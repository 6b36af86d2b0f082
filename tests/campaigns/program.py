"""The program in a process of its own, on a database of the test's."""

import os
import subprocess
import sys
from pathlib import Path

from sqlalchemy import Engine

from pipeline.embedded import Servers


def start(engine: Engine, servers: Servers, folder: Path, *arguments: str) -> "subprocess.Popen[bytes]":
    """Start a command; what it prints goes to the files `told` and `complaints` in the folder."""
    environment = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": engine.url.render_as_string(hide_password=False),
        "REDIS_URL": servers.redis_url,
        "LOOTWIRE_DATA_DIR": str(folder / "data"),
    }
    command = [sys.executable, "-c", "from pipeline.cli import main; main()", *arguments]
    with (folder / "told").open("wb") as told, (folder / "complaints").open("wb") as complaints:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=told, stderr=complaints, env=environment)
