"""How the pipeline stands: what the command `status` shows, which a monitor may call every minute.

It imports no more than its queries need.
"""

from datetime import UTC, datetime

import msgspec
from msgspec import UNSET

from pipeline.cli.opening import open_database
from pipeline.operations.standing import Standing
from pipeline.operations.standing import show_standing as load_standing
from pipeline.programs.waiting import describe as describe_waiting
from pipeline.runtime.output import console, print_json, show

# What has lines of its own.
_LISTED = frozenset({"sources_waiting", "sources_off", "troubles"})


def show_standing(*, as_json: bool) -> None:
    """Print how the pipeline stands."""
    settings, engine = open_database()
    standing = load_standing(engine, settings, datetime.now(UTC))
    if as_json:
        print_json(standing)
        return
    _print_figures(standing)
    for trouble in standing.troubles:
        since = f" (since {show(trouble.since)} UTC)" if trouble.since else ""
        _print("trouble", f"{trouble.title}{since}")
    for line in describe_waiting(standing.sources_waiting, standing.sources_off):
        _print("sources", line)


def _print_figures(standing: Standing) -> None:
    for name, value in msgspec.structs.asdict(standing).items():
        if name not in _LISTED and value is not UNSET:
            _print(name, value)


def _print(name: str, value: object) -> None:
    console.print(f"{name.replace('_', ' '):>24}  {show(value)}", markup=False, soft_wrap=True)
