"""Whatever hypothesis can think of: the suite's properties, with other examples each time and many more of them.

The suite tries the same few each time, so that a change is what makes it fail; a short form tries half of what each
test names, which is a little more than the suite does.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from tests.campaigns.campaign import Claim, Size, Trial, at_least, figure, none_of
from tests.examples import VARIABLE
from tests.paths import CHECKOUT

# Of this checkout's; fewer means that they were not found.
LEAST = 38


@dataclass(frozen=True, kw_only=True)
class Examples(Size):
    """How many times the examples that a test names are tried."""

    times: float


FULL = Examples(times=20)
SHORT = Examples(times=0.5)


def run(size: Examples, trial: Trial) -> Sequence[Claim]:
    """Run every test that hypothesis feeds, in processes of their own."""
    report = trial.folder / "report.xml"
    chosen = ["-q", "-m", "hypothesis", f"--hypothesis-seed={trial.seed}", f"--junit-xml={report}"]
    with (trial.folder / "output").open("wb") as output:
        subprocess.run(
            [sys.executable, "-m", "pytest", *chosen, "tests"],
            cwd=CHECKOUT,
            env=os.environ | {VARIABLE: str(size.times)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    names, broken = _outcome(report)
    if broken:
        trial.say((trial.folder / "output").read_text("utf-8", errors="replace"))
    return [
        at_least("properties tried", len(names), LEAST),
        none_of("properties that did not hold", broken),
        figure("times the examples that each names", size.times),
    ]


def _outcome(report: Path) -> tuple[list[str], list[str]]:
    """Return the names of all tests of a report, and of those that failed."""
    if not report.exists():
        return [], ["pytest wrote no report"]
    cases = list(ET.parse(report).iter("testcase"))  # noqa: S314 - pytest's own
    failed = [case for case in cases if case.find("failure") is not None or case.find("error") is not None]
    return [case.attrib["name"] for case in cases], [case.attrib["name"] for case in failed]
