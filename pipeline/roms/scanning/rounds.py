"""Look at the folders that are due, one after the other, for as long as there is time."""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Engine

from models.errors import LootwireError
from models.locks import LockKey
from pipeline.roms.scanning.scan import ScanBusy, ScanReport, scan_folder
from pipeline.roms.store.folders import change_folder, due_folders

# Of the time between two looks: folders of one disk are not all looked at in the same minute for ever.
_VARIES_BY = 0.1


def scan_due(
    engine: Engine,
    clock: Callable[[], datetime],
    *,
    every: timedelta,
    within: timedelta,
    readers: int,
    slow: Sequence[LockKey] = (),
) -> Iterator[ScanReport | LootwireError]:
    """Scan the folders that are due, and give a report of each, or why there is none; it ends when its time is over.

    A folder whose scan is over is due again after the time `every`, more or less. One that is unfinished stays due, so
    the next round goes on with it; others have their turn before.
    """
    until = time.monotonic() + within.total_seconds()
    with engine.connect() as connection:
        folder_ids = due_folders(connection, clock())
    for folder_id in folder_ids:
        left = timedelta(seconds=until - time.monotonic())
        if left <= timedelta(0):
            return
        try:
            report = scan_folder(
                engine, folder_id, now=clock(), within=left, readers=readers, slow=slow, patience=timedelta(0)
            )
        except ScanBusy:
            continue
        except LootwireError as error:
            # It was removed meanwhile, or its lease was lost: another round sees.
            yield error
            continue
        varied = every * random.uniform(1 - _VARIES_BY, 1 + _VARIES_BY)  # noqa: S311 - it is no secret
        wait = timedelta(0) if report.outcome == "unfinished" else varied
        with engine.begin() as connection:
            change_folder(connection, folder_id, next_due_at=clock() + wait)
        yield report
