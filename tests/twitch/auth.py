"""Twitch's sign-in service: tokens of applications, refreshed ones of users, and what a token is worth.

https://dev.twitch.tv/docs/authentication/. Its errors carry `status` and `message`, and no `error`.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.twitch.answers import Refused
from tests.twitch.core import Core
from tests.twitch.tokens import Token


class SignIn:
    """The endpoints below /oauth2."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def token(self, request: Request) -> Response:
        # Parameters are taken from the form and from the address.
        form = {**request.query_params, **dict(parse_qsl((await request.body()).decode(errors="replace")))}
        try:
            return JSONResponse(self._grant(form))
        except Refused as refused:
            return _error(refused.status, refused.message)

    async def validate(self, request: Request) -> Response:
        scheme, _, value = request.headers.get("Authorization", "").partition(" ")
        token = self._core.tokens.find(value) if scheme in {"OAuth", "Bearer"} else None
        if token is None:
            return _error(401, "invalid access token")
        return JSONResponse(self._worth(token))

    async def revoke(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode(errors="replace")))
        token = self._core.tokens.find(form.get("token", ""))
        if token is None or token.client_id != form.get("client_id"):
            return _error(400, "Invalid token")
        self._core.tokens.revoke(token.value)
        return Response()

    def _grant(self, form: Mapping[str, str]) -> dict[str, Any]:
        for name in ("client_id", "grant_type"):
            if not form.get(name):
                raise Refused(400, f"missing {name.replace('_', ' ')}")
        match form["grant_type"]:
            case "client_credentials":
                return self._app_token(form)
            case "refresh_token":
                return self._refreshed(form)
            case _:
                raise Refused(400, "invalid grant type")

    def _app_token(self, form: Mapping[str, str]) -> dict[str, Any]:
        if form["client_id"] != self._core.client_id:
            raise Refused(400, "invalid client")
        if not form.get("client_secret"):
            raise Refused(400, "missing client secret")
        if form["client_secret"] != self._core.client_secret:
            raise Refused(403, "invalid client secret")
        token = self._core.tokens.issue(form["client_id"])
        return {"access_token": token.value, "expires_in": self._core.settings.token_lifetime, "token_type": "bearer"}

    def _refreshed(self, form: Mapping[str, str]) -> dict[str, Any]:
        old = self._core.tokens.refreshed_by(form.get("refresh_token", ""))
        if old is None or old.client_id != form["client_id"]:
            raise Refused(400, "Invalid refresh token")
        self._core.tokens.revoke(old.value)
        token = self._core.tokens.issue(old.client_id, old.user_id, old.scopes)
        return {
            "access_token": token.value,
            "refresh_token": token.refresh,
            "expires_in": self._core.settings.token_lifetime,
            "scope": list(token.scopes),
            "token_type": "bearer",
        }

    def _worth(self, token: Token) -> dict[str, Any]:
        left = int((token.expires_at - self._core.settings.now()).total_seconds())
        if token.user_id is None:
            return {"client_id": token.client_id, "scopes": None, "expires_in": left}
        return {
            "client_id": token.client_id,
            "login": self._core.world.users[token.user_id].login,
            "scopes": list(token.scopes),
            "user_id": token.user_id,
            "expires_in": left,
        }


def _error(status: int, message: str) -> Response:
    return JSONResponse({"status": status, "message": message}, status)
