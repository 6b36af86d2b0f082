"""The program in a process of its own, on a database of the test's."""

import os
import subprocess
import sys
from pathlib import Path

from sqlalchemy import Engine

from pipeline.embedded import Servers

# Writes down its own peak of memory and that of its children, in KiB, at the end. (What the kernel tells of a child
# when it has ended includes the memory of the test that started it.)
PROGRAM = """
import resource, sys
from pathlib import Path
from pipeline.cli import run
code = run(sys.argv[2:])
own = next(line.split()[1] for line in Path("/proc/self/status").open() if line.startswith("VmHWM"))
Path(sys.argv[1]).write_text(str(max(int(own), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)))
sys.exit(code)
"""


def start(engine: Engine, servers: Servers, folder: Path, *arguments: str) -> "subprocess.Popen[bytes]":
    """Start a command; what it prints, and its memory, goes to `output`, `complaints` and `memory` in the folder."""
    environment = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": engine.url.render_as_string(hide_password=False),
        "REDIS_URL": servers.redis_url,
        "LOOTWIRE_DATA_DIR": str(folder / "data"),
    }
    command = [sys.executable, "-c", PROGRAM, str(folder / "memory"), *arguments]
    with (folder / "output").open("wb") as output, (folder / "complaints").open("wb") as complaints:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=complaints, env=environment)
