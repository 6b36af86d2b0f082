"""What `make quick` runs: all that needs no server, and what the changes since the main branch touch.

A change touches the tests of a file that was changed, and those that import it themselves. Whatever else depends on it
is for `make check`.
"""

import ast
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parent.parent


def is_quick(item: pytest.Item, touched: set[Path]) -> bool:
    """Whether a test is run by `make quick`."""
    needs_servers = "servers" in getattr(item, "fixturenames", ())
    return item.path in touched or not (needs_servers or item.get_closest_marker("long"))


def touched(tests: Iterable[Path]) -> set[Path]:
    """Those files of tests that the changes since the main branch touch."""
    changed = {_ROOT / name for name in _changed_names()}
    modules = {".".join(path.relative_to(_ROOT).with_suffix("").parts).removesuffix(".__init__") for path in changed}
    return {path for path in set(tests) if path in changed or imports(path) & modules}


def _changed_names() -> list[str]:
    base = _git("merge-base", "main", "HEAD") or ["HEAD"]
    return [
        name
        for name in [*_git("diff", "--name-only", *base), *_git("ls-files", "--others", "--exclude-standard")]
        if name.endswith(".py")
    ]


def _git(*arguments: str) -> list[str]:
    done = subprocess.run(["git", *arguments], cwd=_ROOT, capture_output=True, text=True, check=False)
    return done.stdout.splitlines() if done.returncode == 0 else []


def imports(path: Path) -> set[str]:
    """The modules that a file imports, with the names that may be modules of theirs."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names
