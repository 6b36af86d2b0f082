"""What the tasks of one worker process work with."""

import functools

from pipeline.runtime.runtime import Runtime, open_runtime


@functools.cache
def runtime() -> Runtime:
    """Return this process's runtime, opened at the first call."""
    return open_runtime()
