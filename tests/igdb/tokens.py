"""The tokens that a local Twitch gives out, as the local IGDB judges them: both are one company's."""

from collections.abc import Callable

from tests.twitch import LocalTwitch


def tokens_of(twitch: LocalTwitch) -> Callable[[str], bool]:
    """Return a function that says whether Twitch would accept an app token now."""

    def is_live(value: str) -> bool:
        token = twitch._call(lambda: twitch._core.tokens.find(value))
        return token is not None and token.client_id == twitch.client_id

    return is_live
