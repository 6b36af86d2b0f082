"""The addresses that IGDB's webhooks come to, for the receiver beside those of Twitch."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime

from pydantic import SecretStr
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pipeline.errors import InvalidItem
from pipeline.fetch.bodies import read_limited
from pipeline.games.sources.webhooks import ENDPOINTS, METHODS, is_igdb, read_hint, secret_for_igdb, take_hint
from pipeline.runtime.problems import explain

logger = logging.getLogger(__name__)
# A row with its texts; a game's longest are its summary and storyline.
LONGEST_BODY = 1024 * 1024
# IGDB waits 15 seconds for the answer.
BODY_WITHIN = 8.0


def igdb_routes(engine: Engine, secret: SecretStr, now: Callable[[], datetime]) -> list[Route]:
    """Return the routes; `secret` is the one that Twitch signs with."""
    shown = secret_for_igdb(secret)

    async def take(request: Request) -> Response:
        if not is_igdb(request.headers.get("X-Secret", ""), shown):
            logger.warning("a webhook that does not show IGDB's secret is refused")
            return Response(status_code=403)
        body = await read_limited(request, longest=LONGEST_BODY, within=BODY_WITHIN)
        return await asyncio.to_thread(_take, engine, request.path_params, body, now)

    return [Route("/igdb/{endpoint}/{method}", take, methods=["POST"])]


def _take(engine: Engine, kind: dict[str, str], body: bytes, now: Callable[[], datetime]) -> Response:
    endpoint = next((known for known in ENDPOINTS if known == kind["endpoint"]), None)
    method = next((known for known in METHODS if known == kind["method"]), None)
    if endpoint is None or method is None:
        return Response(status_code=404)
    try:
        take_hint(engine, read_hint(endpoint, method, body), now())
    except InvalidItem as error:
        # It would be no better a second time.
        logger.warning("a webhook of IGDB could not be read: %s", error)
    except DBAPIError as error:
        # The sweeps find what is not sent again.
        logger.warning("a webhook of IGDB could not be kept: %s", explain(error) or type(error).__name__)
        return Response(status_code=503)
    return Response(status_code=200)
