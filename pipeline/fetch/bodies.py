"""Read the body of a request from the internet, and no more of it than it may hold."""

import asyncio

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request


async def read_limited(request: Request, *, longest: int, within: float) -> bytes:
    """Return a request's raw body of at most so many bytes, which must be here within so many seconds.

    Raises `HTTPException`: 413 as soon as it is longer, 408 for one that comes drop by drop or breaks off.
    """
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(within):
            async for part in request.stream():
                size += len(part)
                if size > longest:
                    raise HTTPException(413)
                parts.append(part)
    except (TimeoutError, ClientDisconnect) as error:
        raise HTTPException(408) from error
    return b"".join(parts)
