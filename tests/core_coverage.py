"""Branch coverage of the pure core by plain tests that need no server: `python -m tests.core_coverage`.

Which modules are the pure core stands once, in the contracts of import-linter in pyproject.toml. The exit code is 1
where a test fails, or where less than `ENOUGH` of the branches and lines are run.
"""

import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

import coverage
import pytest

from tests import quick

ROOT = Path(__file__).resolve().parent.parent
ENOUGH = 95
CONTRACTS = "The pure core"


def modules() -> list[str]:
    """Return the modules of the pure core."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contracts = settings["tool"]["importlinter"]["contracts"]
    return [name for each in contracts if each["name"].startswith(CONTRACTS) for name in each["source_modules"]]


def files(names: Iterable[str]) -> list[str]:
    """Return the files of modules; those of a package are all in it."""
    modules = []
    for name in names:
        path = ROOT / name.replace(".", "/")
        modules += [f"{path}/*"] if path.is_dir() else [f"{path}.py"]
    return modules


class PureTests:
    """Lets pytest run what needs no server, of those files that import a module of the pure core."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(names)

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        paths = {path for path in {item.path for item in items} if self._is_about_the_core(path)}
        chosen = [item for item in items if item.path in paths and _is_plain(item)]
        config.hook.pytest_deselected(items=[item for item in items if item not in set(chosen)])
        items[:] = chosen

    def _is_about_the_core(self, path: Path) -> bool:
        return any(self._names & {name, name.rpartition(".")[0]} for name in quick.imports(path))


def _is_plain(item: pytest.Item) -> bool:
    """Whether a test needs no server, and takes an example or two: hypothesis finds faults, not lines."""
    # Not above: pytest wants to load its plugins itself.
    from hypothesis import is_hypothesis_test

    return quick.is_quick(item, set()) and not is_hypothesis_test(getattr(item, "obj", None))


def main() -> int:
    """Run the tests, print the coverage of each module that lacks some, and return the exit code."""
    names = modules()
    measured = coverage.Coverage(data_file=None, branch=True, include=files(names))
    measured.start()
    code = pytest.main(["-q", "-n", "0", "-p", "no:cacheprovider", *sys.argv[1:]], plugins=[PureTests(names)])
    measured.stop()
    share = measured.report(show_missing=True, skip_covered=True, precision=1)
    print(f"pure core: {share:.1f} % of lines and branches, at least {ENOUGH} %")
    return int(code) or int(share < ENOUGH)


if __name__ == "__main__":
    sys.exit(main())
