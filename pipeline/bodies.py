"""Read the body of a request from the internet, and no more of it than it may hold."""

from starlette.requests import Request


async def read_within(request: Request, longest: int) -> bytes | None:
    """Return a request's raw body; None as soon as it is longer than so many bytes."""
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > longest:
            return None
        parts.append(part)
    return b"".join(parts)
