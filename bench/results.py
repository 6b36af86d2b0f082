"""What a bench reports: figures beside those of what people would otherwise run, as one table."""

from collections.abc import Iterable
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table


class NoRecording(Exception):
    """A bench at its full size needs a recording that is not on this machine; the text names it."""


@dataclass(frozen=True)
class Result:
    """A line of the table, in words; `ok` is None where no goal was set.

    Benches make them with `faster`, `as_long` and `bounded`, so that all read alike.
    """

    name: str
    ours: str
    beside: str = ""
    ratio: str = ""
    goal: str = ""
    ok: bool | None = None


def faster(name: str, ours: float, beside: float, what: str, *, least: float | None = None) -> Result:
    """Return how many times faster we are than `what`; both took seconds."""
    ratio = beside / ours
    goal, ok = _judged(ratio, " times", least=least)
    return Result(name, spoken(ours), f"{spoken(beside)} {what}", f"{ratio:,.4g} times as fast", goal, ok)


def as_long(name: str, ours: float, beside: float, what: str, *, most: float | None = None) -> Result:
    """Return how many times as long as `what` we take; both took seconds."""
    ratio = ours / beside
    goal, ok = _judged(ratio, " times", most=most)
    return Result(name, spoken(ours), f"{spoken(beside)} {what}", f"{ratio:.2f} times as long", goal, ok)


def bounded(
    name: str, value: float, unit: str, *, most: float | None = None, least: float | None = None, beside: str = ""
) -> Result:
    """Return a figure that has a bound and no rival; `beside` says what another has, in words."""
    goal, ok = _judged(value, f" {unit}", least=least, most=most)
    return Result(name, f"{value:,.4g} {unit}", beside, "", goal, ok)


def _judged(
    value: float, unit: str, *, least: float | None = None, most: float | None = None
) -> tuple[str, bool | None]:
    if least is not None:
        return f"at least {least:,g}{unit}", value >= least
    if most is not None:
        return f"at most {most:,g}{unit}", value <= most
    return "", None


def spoken(seconds: float) -> str:
    """Return a length of time as the table shows it."""
    return f"{seconds:,.4g} s" if seconds >= 1 else f"{1000 * seconds:,.3g} ms"


def percentile(values: Iterable[float], percent: float) -> float:
    """Return the value that so many of a hundred do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def print_table(results: Iterable[Result], *, judged: bool = True) -> None:
    """Print the lines; unless they are `judged`, without goals: a tiny size is not there to reach them."""
    table = Table("name", "ours", "beside what", "ratio", *(("goal", "ok") if judged else ()))
    for result in results:
        verdict = {True: "yes", False: "[bold red]NO[/]", None: ""}[result.ok]
        last = (result.goal, verdict) if judged else ()
        table.add_row(result.name, result.ours, result.beside, result.ratio, *last)
    # As wide as it needs to be where the output goes to a file.
    console = Console()
    (console if console.is_terminal else Console(width=160)).print(table)
