"""What a campaign is: a promise that is tried under trouble, at a short size and at its full one, by one command.

A campaign is a file of this folder that has

- `FULL` and `SHORT`: its sizes, a frozen dataclass of its own that inherits `Size`. A short one takes seconds, needs no
  recording and holds the same claims.
- `run(size, trial)`: does the work and returns a `Claim` for each promise. It draws all that is random from
  `trial.dice`, and says by `trial.say` what a person who waits wants to know. What a machine lacks is told by raising
  `CannotRun`.

`python -m tests.campaigns NAME --full` runs one; what it came to is printed as a table and, where asked for, as JSON.
"""

import importlib
import pkgutil
import random
import tempfile
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, cast


class CannotRun(Exception):
    """This machine lacks what a campaign needs; the text names it, and the way to get it."""


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much of everything; `shortens` says in words which times of the product are shorter than in real life."""

    shortens: tuple[str, ...] = ()


@dataclass(frozen=True)
class Claim:
    """A promise with what was seen of it; `holds` is None for a figure without a bound."""

    name: str
    seen: str
    bound: str = ""
    holds: bool | None = None


def at_most(name: str, seen: float, bound: float, unit: str = "") -> Claim:
    """Claim that a figure is no larger than a bound."""
    return Claim(name, _spoken(seen, unit), f"at most {_spoken(bound, unit)}", seen <= bound)


def at_least(name: str, seen: float, bound: float, unit: str = "") -> Claim:
    """Claim that a figure is no smaller than a bound."""
    return Claim(name, _spoken(seen, unit), f"at least {_spoken(bound, unit)}", seen >= bound)


def exactly(name: str, seen: float, bound: float) -> Claim:
    """Claim that a figure is another one."""
    return Claim(name, _spoken(seen, ""), _spoken(bound, ""), seen == bound)


def none_of(name: str, seen: Sequence[object]) -> Claim:
    """Claim that something never happened; the first five times that it did are shown."""
    shown = ", ".join(map(str, seen[:5])) + (", …" if len(seen) > 5 else "")
    return Claim(name, f"{len(seen)}{f': {shown}' if seen else ''}", "none", not seen)


def figure(name: str, seen: float, unit: str = "") -> Claim:
    """Return a figure that somebody may want to compare, and that promises nothing."""
    return Claim(name, _spoken(seen, unit))


def _spoken(value: float, unit: str) -> str:
    return f"{value:,.4g} {unit}".rstrip()


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One run of a campaign: its seed, where it may write, and whom it tells how far it is.

    `folder` outlives the run where `--resume FOLDER` names it: a campaign that takes long keeps there what it has done.
    """

    seed: int
    folder: Path
    say: Callable[[str], None] = lambda _: None
    dice: random.Random = field(init=False)

    def __post_init__(self) -> None:
        """Throw the dice of the seed."""
        object.__setattr__(self, "dice", random.Random(self.seed))  # noqa: S311 - the same run for the same seed


class Campaign(Protocol):
    """A module of this folder that is a campaign."""

    FULL: Size
    SHORT: Size
    run: Callable[[Size, Trial], Sequence[Claim]]


def load_campaigns() -> dict[str, Campaign]:
    """Return every campaign by its name; a file becomes one by having sizes."""
    names = sorted(module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)]))
    modules = {name: importlib.import_module(f"tests.campaigns.{name}") for name in names if _may_be(name)}
    return {name: cast("Campaign", module) for name, module in modules.items() if hasattr(module, "SHORT")}


def _may_be(name: str) -> bool:
    # Programs of campaigns begin with "_": to import that of a worker would open the installation of who runs this.
    return not name.startswith(("_", "test_")) and name != "campaign"


def scratch() -> AbstractContextManager[str]:
    """Return a folder that is gone after the `with` block."""
    return tempfile.TemporaryDirectory(prefix="lootwire-campaign-", ignore_cleanup_errors=True)
