"""Run benches: one by itself from its own file, all of them tiny in one process, or all in full, each in its own.

A bench is a file of this folder that has

- `FULL` and `TINY`: its sizes, a frozen dataclass of its own that inherits `Size`. A field that may be given by
  position is an argument of the command line, one that is keyword-only an option; both have the size's values as
  defaults. A tiny size takes seconds and needs no recording.
- `run(servers, size)`: does the work, prints what is interesting, asserts that it did what it says (never how fast),
  and returns `bench.results.Result`s. Where a recording is missing it raises `NoRecording`.
- last, `if __name__ == "__main__": sys.exit(run_alone(run, FULL, TINY))`.
"""

import argparse
import asyncio
import dataclasses
import importlib
import io
import multiprocessing
import pkgutil
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar, cast

from bench.databases import Servers, throw_away_servers
from bench.results import NoRecording, Result, print_table


@dataclass(frozen=True)
class Size:
    """How much work a bench does."""


SizeOf = TypeVar("SizeOf", bound=Size)


class Bench(Protocol):
    """A module of this folder that is a bench."""

    FULL: Size
    TINY: Size
    run: Callable[[Servers, Size], Sequence[Result]]


def load_benches() -> dict[str, Bench]:
    """Return every bench by its name; a file becomes one by having sizes."""
    names = sorted(module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)]))
    modules = {name: importlib.import_module(f"bench.{name}") for name in names if not name.startswith("_")}
    return {name: cast("Bench", module) for name, module in modules.items() if hasattr(module, "TINY")}


def run_alone(run: Callable[[Servers, SizeOf], Sequence[Result]], full: SizeOf, tiny: SizeOf) -> int:
    """Run one bench as the command line says, and return the exit code: 1 where a goal was missed."""
    parser = _parser(sys.modules[run.__module__].__doc__ or "", full)
    given = {name: value for name, value in vars(parser.parse_args()).items() if value is not None}
    is_tiny = given.pop("tiny")
    size = dataclasses.replace(tiny if is_tiny else full, **given)
    try:
        with throw_away_servers() as servers:
            results = run(servers, size)
    except NoRecording as lack:
        sys.exit(str(lack))
    print_table(results, judged=not is_tiny)
    return 0 if is_tiny or _all_reached(results) else 1


def _parser(doc: str, size: Size) -> argparse.ArgumentParser:
    """Arguments that are not given are None, so that either size can fill them in."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tiny", action="store_true", help="seconds of work, with made-up data; no goal is judged")
    for field in dataclasses.fields(size):
        default = getattr(size, field.name)
        about = f"{default} in full"
        if isinstance(default, bool):
            parser.add_argument(f"--{field.name}", action=argparse.BooleanOptionalAction, help=about)
        elif field.kw_only:
            parser.add_argument(f"--{field.name}", type=type(default), help=about)
        else:
            parser.add_argument(field.name, nargs="?", type=type(default), help=about)
    return parser


def run_tiny(benches: dict[str, Bench]) -> int:
    """Run the benches at their tiny sizes, in this process and on the same servers; returns how many crashed.

    What they print is shown only of those that crash.
    """
    crashed = 0
    with throw_away_servers() as servers:
        for name, bench in benches.items():
            began, output = time.perf_counter(), io.StringIO()
            try:
                with redirect_stdout(output):
                    results = bench.run(servers, bench.TINY)
                    assert results, "a bench has at least one result"
            except Exception:  # noqa: BLE001 - whatever it is, the next bench runs
                crashed += 1
                print(output.getvalue(), traceback.format_exc(), sep="\n")
                print(f"{name:12} CRASHED", flush=True)
            else:
                print(f"{name:12} {len(results)} results in {time.perf_counter() - began:4.1f} s", flush=True)
    return crashed


def run_full(names: Sequence[str]) -> int:
    """Run the benches one after another, print one table of all, and return how many crashed or missed a goal.

    Each has a process and servers of its own: memory is measured too, and one that dies takes no other along.
    """
    results: list[Result] = []
    failed = 0
    for name in names:
        print(f"== {name}", flush=True)
        try:
            with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
                measured = pool.submit(measure, name).result()
        except NoRecording as lack:
            print(lack, flush=True)
            measured = [Result(name, "not run", str(lack))]
        except Exception as error:  # noqa: BLE001 - whatever it is, the next bench runs
            traceback.print_exc(file=sys.stdout)
            measured = [Result(name, "crashed", type(error).__name__, ok=False)]
        failed += not _all_reached(measured)
        results += measured
    print_table(results)
    return failed


def measure(name: str) -> list[Result]:
    """Run one bench in full; called in a process of its own."""
    bench = cast("Bench", importlib.import_module(f"bench.{name}"))
    with throw_away_servers() as servers:
        return list(bench.run(servers, bench.FULL))


def _all_reached(results: Sequence[Result]) -> bool:
    return all(result.ok is not False for result in results)


async def keep_pace(
    due: "asyncio.Queue[float | None]", readers: Sequence["asyncio.Task[None]"], *, rate: float, seconds: float
) -> None:
    """Give readers so many times a second, each when a request is due, for so long; then their ends, and wait for them.

    A reader that is late does not delay those after it: what it takes counts from when it was due.
    """
    begins = time.perf_counter()
    for number in range(round(rate * seconds)):
        at = begins + number / rate
        if (early := at - time.perf_counter()) > 0:
            await asyncio.sleep(early)
        due.put_nowait(at)
    for _ in readers:
        due.put_nowait(None)
    await asyncio.gather(*readers)
