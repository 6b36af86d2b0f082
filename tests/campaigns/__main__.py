"""Run campaigns, all or those that are named, and print what each promised and what was seen.

    uv run --frozen python -m tests.campaigns [NAME ...] [--short | --full] [--seed N] [--json FILE] [--resume FOLDER]

Goes on after one that fails. The exit code is 1 where a promise did not hold or a campaign crashed. `make check` runs
all short; docs/reliability.md says what each tries.
"""

import argparse
import dataclasses
import json
import platform
import random
import sys
import time
import traceback
from collections.abc import Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.campaigns.campaign import Campaign, CannotRun, Claim, Size, Trial, load_campaigns, scratch


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--short", action="store_true", help="seconds each (this is so unless --full is given)")
    form.add_argument("--full", action="store_true", help="up to an hour each")
    parser.add_argument("--seed", type=int, help="what chance decides; a new one each time unless it is given")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there, too")
    parser.add_argument("--resume", type=Path, metavar="FOLDER", help="go on with what an earlier run left there")
    parser.add_argument("names", nargs="*", metavar="NAME", help="all of them by default")
    arguments = parser.parse_args()
    campaigns = load_campaigns()
    names = arguments.names or list(campaigns)
    if unknown := sorted(set(names) - campaigns.keys()):
        parser.error(f"no campaign is called {', '.join(unknown)}; there are {', '.join(campaigns)}")
    seed = random.SystemRandom().randrange(10**6) if arguments.seed is None else arguments.seed
    run = partial(_run, full=arguments.full, seed=seed, folder=arguments.resume)
    results = [run(name, campaigns[name]) for name in names]
    if arguments.json:
        machine = {"at": datetime.now(UTC).isoformat(), "machine": platform.platform(), "python": sys.version}
        arguments.json.write_text(json.dumps({**machine, "campaigns": results}, indent=2))
    failed = [result["campaign"] for result in results if not result["holds"]]
    if failed:
        print(f"did not hold: {', '.join(failed)}; the same again: --seed {seed}")
    return 1 if failed else 0


def _run(name: str, campaign: Campaign, *, full: bool, seed: int, folder: Path | None) -> dict[str, Any]:
    size = campaign.FULL if full else campaign.SHORT
    form, began = "full" if full else "short", time.monotonic()
    print(f"{name}, {form}, --seed {seed}: {_spoken(size)}", flush=True)
    result: dict[str, Any] = {"campaign": name, "form": form, "seed": seed, "size": dataclasses.asdict(size)}
    try:
        with nullcontext(str(folder / name)) if folder else scratch() as place:
            Path(place).mkdir(parents=True, exist_ok=True)
            trial = Trial(seed=seed, folder=Path(place), say=lambda text: print(f"  {text}", flush=True))
            claims = campaign.run(size, trial)
            assert claims, "a campaign promises something"
    except CannotRun as lack:
        print(f"  not run: {lack}\n", flush=True)
        return result | {"holds": True, "not_run": str(lack)}
    except Exception:  # noqa: BLE001 - whatever it is, the next campaign runs
        print(traceback.format_exc(), flush=True)
        return result | {"holds": False, "crashed": traceback.format_exc()}
    seconds = time.monotonic() - began
    _print(f"{name}: {seconds:.0f} s", claims)
    holds = all(claim.holds is not False for claim in claims)
    return result | {"holds": holds, "seconds": round(seconds, 1), "claims": list(map(dataclasses.asdict, claims))}


def _spoken(size: Size) -> str:
    values = {each.name: getattr(size, each.name) for each in dataclasses.fields(size) if each.name != "shortens"}
    sizes = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in values.items())
    return f"{sizes}; shorter than in real life: {', '.join(size.shortens) or 'nothing'}"


def _print(title: str, claims: Sequence[Claim]) -> None:
    table = Table("promise", "seen", "bound", "holds", title=title, title_justify="left")
    for claim in claims:
        verdict = {True: "yes", False: "[bold red]NO[/]", None: ""}[claim.holds]
        table.add_row(claim.name, claim.seen, claim.bound, verdict)
    console = Console()
    # As wide as it needs to be where the output goes to a file.
    (console if console.is_terminal else Console(width=160)).print(table)


if __name__ == "__main__":
    sys.exit(main())
