"""`/invite/NAME`: a page with a button that shows a person their key, once; it needs no script.

Looking at it uses nothing up, so that a messenger which previews addresses leaves the key to the person. The name and
the key stand in no log, and no cache or referrer keeps them. What it needs is imported, and the database opened, for
the first who asks.
"""

import asyncio
import logging
from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import Receive, Scope, Send

from pipeline.runtime.problems import explain

if TYPE_CHECKING:
    from pipeline.runtime.runtime import Runtime

logger = logging.getLogger(__name__)
PREFIX = "/invite"
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>
body {{ font: 1.1rem/1.5 system-ui, sans-serif; margin: 10vh auto; max-width: 38rem; padding: 0 1rem }}
button {{ font: inherit; padding: .6rem 1.2rem }}
code {{ display: block; overflow-wrap: anywhere; padding: 1rem; border: 1px solid }}
</style>
</head>
<body>
<main>
<h1>{title}</h1>
{content}
</main>
</body>
</html>
"""


class Invitations:
    """The page as an ASGI application below `/invite`."""

    def __init__(self, open_runtime: "Callable[[], Runtime]") -> None:
        self._open_runtime = open_runtime
        self._runtime: Runtime | None = None
        self._opening = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; nothing of a body is read."""
        request = Request(scope, receive)
        await (await self._answer(request))(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        if request.method not in {"GET", "HEAD", "POST"}:
            return _page("Not so", "<p>This page is looked at, and its button pressed.</p>", 405)
        name = request.url.path.rpartition("/")[2]
        try:
            async with self._opening:
                runtime = self._runtime = self._runtime or await asyncio.to_thread(self._open_runtime)
            show = _use if request.method == "POST" else _look
            return await asyncio.to_thread(show, runtime, name)
        except Exception as error:
            if (problem := explain(error)) is None:
                logger.exception("an invitation was not answered")
                problem = "This is a fault of Lootwire; its log has the reason."
            return _page("Not now", f"<p>{escape(problem)} Try again in a minute.</p>", 503)


def _look(runtime: "Runtime", name: str) -> Response:
    from pipeline.people.store.invitations import InvitationEnded, look_at
    from pipeline.runtime.runtime import utc_now

    try:
        with runtime.engine.connect() as connection:
            invited = look_at(connection, name, utc_now())
    except InvitationEnded as ended:
        return _ended(ended)
    content = (
        f"<p>You are invited to this Lootwire as a {escape(invited.role)}. The button shows your key, once: have a "
        f"password manager or the program that wants it at hand.</p>\n"
        '<form method="post"><button>Show my key</button></form>\n'
        f"<p>This works until {invited.expires_at:%Y-%m-%d %H:%M} UTC.</p>"
    )
    return _page(f"Hello, {invited.person}", content, 200)


def _use(runtime: "Runtime", name: str) -> Response:
    from pipeline.people.store.invitations import InvitationEnded, use
    from pipeline.runtime.runtime import utc_now

    try:
        with runtime.engine.begin() as connection:
            key = use(connection, name, utc_now())
    except InvitationEnded as ended:
        return _ended(ended)
    content = (
        f"<p>Keep it now: nobody can show it again, and this address is used up.</p>\n<code>{escape(key.key)}</code>\n"
        "<p>Programs send it as <b>Authorization: Bearer lw_…</b>. Whoever has it can do what you can; if it gets "
        "lost, ask for another invitation.</p>"
    )
    return _page("Your key", content, 200)


def _ended(reason: Exception) -> Response:
    return _page("No key here", f"<p>{escape(str(reason))}</p>", 410)


def _page(title: str, content: str, status: int) -> Response:
    return HTMLResponse(_PAGE.format(title=escape(title), content=content), status, HEADERS)
