"""The local Twitch as tests, benchmarks and campaigns use it.

`with LocalTwitch() as twitch:` starts real servers on 127.0.0.1; `twitch.go_live("shroud")` does what a streamer does,
`twitch.drop_sockets()` what a network does. What may be set is in `settings.py`. All methods may be called from any
thread but the server's own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from tests.twitch.faults import Fault, SeenRequest
from tests.twitch.streamers import Streamers
from tests.twitch.subscribers import Subscribers

CLIENT_ID = "abc123def456ghi789jkl012mno345"
CLIENT_SECRET = "made0up0secret0of0thirty0chars"


class LocalTwitch(Streamers, Subscribers):
    """A whole Twitch for one application. Ports are free ones unless given."""

    def __init__(
        self,
        client_id: str = CLIENT_ID,
        client_secret: str = CLIENT_SECRET,
        *,
        http_port: int = 0,
        socket_port: int = 0,
    ) -> None:
        super().__init__(client_id, client_secret, http_port, socket_port)

    @property
    def requests(self) -> list[SeenRequest]:
        """All requests so far, the websockets' handshakes among them."""
        return self._call(lambda: [replace(request) for request in self._requests])

    @property
    def tokens_issued(self) -> int:
        """How many tokens were given out, of applications and users."""
        return self._core.tokens.issued

    def forget_requests(self) -> None:
        """Empty `requests` and `sent`."""

        def run() -> None:
            self._requests.clear()
            self._core.eventsub.sent.clear()

        self._call(run)

    def user_token(
        self, user_id: str, *, client_id: str | None = None, scopes: Sequence[str] = ("user:read:follows",)
    ) -> str:
        """A user's access token, of this application unless another client is named."""
        return self._call(lambda: self._core.tokens.issue(client_id or self.client_id, user_id, tuple(scopes))).value

    def app_token(self) -> str:
        """An app access token, as the token endpoint would give it."""
        return self._call(lambda: self._core.tokens.issue(self.client_id)).value

    def revoke_app_tokens(self) -> None:
        """Kill every app token."""
        self._call(self._core.tokens.revoke_apps)

    def spend_budget(self) -> None:
        """Leave no point in any bucket that was used so far."""
        self._call(self._core.budgets.spend)

    def refill_budget(self) -> None:
        """Fill all buckets, which a new `budget` needs to be judged from the start."""
        self._call(self._core.budgets.refill)

    def fail(
        self,
        path: str,
        status: int | None,
        body: Any = None,
        times: float = 1,
        headers: Mapping[str, str] | None = None,
        *,
        method: str | None = None,
        delay: float = 0,
        cut_off: bool = False,
        hang: bool = False,
        reset: bool = False,
    ) -> None:
        """Script a fault for the next requests of a path: "/oauth2/token", "/helix/streams", "/streams", "/ws".

        Args:
            path: Where the paths begin that it concerns.
            status: The status to answer with; None is the true answer, which `delay` and `cut_off` may spoil.
            body: None is the service's error with an empty message; a text is sent as HTML, bytes as they are, all else
                as JSON: see `answers.error_body`.
            times: How many requests it concerns; `math.inf` for all until `heal`.
            headers: More headers.
            method: Only requests of this method.
            delay: Seconds before the answer.
            cut_off: Close the connection in the middle of the body.
            hang: Never answer.
            reset: Tear the connection down instead of answering.
        """
        fault = Fault(path, status, body, times, headers or {}, method, delay, cut_off, hang, reset)
        self._call(lambda: self._faults.add(fault))

    def heal(self) -> None:
        """Forget all scripted faults."""
        self._call(self._faults.clear)
