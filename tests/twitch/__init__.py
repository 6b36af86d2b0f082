"""A local Twitch that speaks the real protocols: sign-in, Helix, the drops dashboard, EventSub."""

from tests.twitch.local import LocalTwitch

__all__ = ["LocalTwitch"]
