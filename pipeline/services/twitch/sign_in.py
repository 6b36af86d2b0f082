"""Sign in to Twitch by device code: the requests to its sign-in service.

https://dev.twitch.tv/docs/authentication/getting-tokens-oauth/#device-code-grant-flow: no secret, no public address; a
person enters a short code on a page of Twitch's. Errors are 400 with `message`, and carry no `error`.
"""

import time
from collections.abc import Callable
from urllib.parse import urlencode

import msgspec

from models.errors import LootwireError
from pipeline.errors import SourceChanged, SourceRefused, SourceUnavailable
from pipeline.fetch.http import Client, Reply
from pipeline.fetch.shapes import UNREADABLE, Shape, Token, clean
from pipeline.services.twitch.graphql_answers import WAY_OUT

FORM = "application/x-www-form-urlencoded"
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
# The dashboard needs no permission beyond a sign-in.
SCOPES = ""
FOLLOWS_SCOPE = "user:read:follows"
# RFC 8628, section 3.5.
SLOW_DOWN_BY = 5


class SignInError(LootwireError):
    """The sign-in failed; the text says why and what to do."""


class Tokens(msgspec.Struct, frozen=True):
    """The tokens that a sign-in gives. Its repr does not show them."""

    access_token: Token
    refresh_token: str | None = None
    expires_in: int | None = None

    def __repr__(self) -> str:
        return "Tokens(…)"


class DeviceCode(msgspec.Struct, frozen=True):
    """The code that a person enters at an address, and the terms of asking whether they did. Times in seconds."""

    device_code: str
    user_code: str
    verification_uri: str
    expires_in: int = 1800
    interval: int = 5

    def __repr__(self) -> str:
        return f"DeviceCode(user_code={self.user_code!r})"


class Viewer(msgspec.Struct, frozen=True):
    """The user and the application that tokens belong to."""

    client_id: str
    login: str
    user_id: str
    expires_in: int | None = None


class _ErrorBody(msgspec.Struct):
    message: str | None = None
    error: str | None = None


class TwitchAuth:
    """The requests to `https://id.twitch.tv/oauth2` of one application, which asks for these permissions."""

    def __init__(self, client: Client, url: str, client_id: str, scopes: str = SCOPES) -> None:
        self._client = client
        self._url = url
        self._client_id = client_id
        self._scopes = scopes

    def begin(self) -> DeviceCode:
        """Ask for a code; raises `SignInError` where Twitch does not know the application."""
        try:
            reply = self._post("device", scopes=self._scopes)
        except (SourceChanged, SourceRefused) as error:
            raise SignInError(
                f"Twitch signs nobody in for the application {self._client_id} ({_error_text(error)}): "
                "LOOTWIRE_TWITCH_DEVICE_CLIENT_ID must name one that may use device codes"
            ) from None
        return _decode(reply, DeviceCode)

    def wait(
        self,
        code: DeviceCode,
        *,
        pause: Callable[[float], object] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> Tokens:
        """Ask until the code was entered; raises `SignInError` when it was refused or ran out."""
        until = clock() + code.expires_in
        interval: float = code.interval
        while clock() < until:
            pause(interval)
            try:
                reply = self._post("token", scopes=self._scopes, device_code=code.device_code, grant_type=DEVICE_GRANT)
            except SourceUnavailable as error:
                interval = max(interval, error.retry_after.total_seconds() if error.retry_after else 0)
            except (SourceChanged, SourceRefused) as error:
                text = _error_text(error)
                if "slow_down" in text:
                    interval += SLOW_DOWN_BY
                elif "authorization_pending" not in text:
                    raise SignInError(f"nobody was signed in: Twitch says {text!r}; start again: {WAY_OUT}") from None
            else:
                return _decode(reply, Tokens)
        raise SignInError(f"nobody entered the code in time; start again: {WAY_OUT}")

    def refresh(self, refresh_token: str) -> Tokens | None:
        """Return new tokens for a refresh token, which is spent by that; None where Twitch does not take it."""
        try:
            reply = self._post("token", refresh_token=refresh_token, grant_type="refresh_token")
        except (SourceChanged, SourceRefused) as error:
            if error.status not in {400, 401}:
                raise
            return None
        return _decode(reply, Tokens)

    def validate(self, access_token: str) -> Viewer | None:
        """Return the user of a token; None where it is dead."""
        try:
            reply = self._client.get(f"{self._url}/validate", headers={"Authorization": f"OAuth {access_token}"})
        except SourceRefused as error:
            if error.status != 401:
                raise
            return None
        return _decode(reply, Viewer)

    def _post(self, path: str, **form: str) -> Reply:
        # Once: a repeated request would find its code or refresh token spent by the one whose answer was lost.
        body = urlencode({"client_id": self._client_id, **form}).encode()
        return self._client.post(f"{self._url}/{path}", body, content_type=FORM, once=True)


def _decode(reply: Reply, shape: type[Shape]) -> Shape:
    try:
        return msgspec.json.decode(reply.body, type=shape)
    except UNREADABLE:
        # Neither the answer nor the error that quotes it: it may hold a token.
        raise SourceChanged("Twitch's answer to the sign-in has an unknown shape") from None


def _error_text(error: SourceChanged | SourceRefused) -> str:
    payload = error.payload if isinstance(error, SourceChanged) else b""
    try:
        body = msgspec.json.decode(payload, type=_ErrorBody)
    except UNREADABLE:
        return str(error)
    return (clean(body.message or body.error) or str(error))[:100]
