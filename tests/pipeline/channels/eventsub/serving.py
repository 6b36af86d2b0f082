"""The receiver as a real server on a free port, in a thread of the test."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from pipeline.runtime.runtime import Runtime
from pipeline.web.receiver import receiving
from tests.pipeline.web.serving import answering
from tests.plain_http import NO_CERTIFICATES


@contextmanager
def serving(runtime: Runtime) -> Iterator[str]:
    """The address of a receiver."""
    with answering(lambda: receiving(runtime.settings, lambda: runtime)) as address:
        yield address


def post(url: str, message: tuple[dict[str, str], bytes]) -> httpx.Response:
    """Post a signed message."""
    headers, body = message
    return httpx.post(f"{url}/eventsub", headers=headers, content=body, verify=NO_CERTIFICATES)
