"""A local Twitch that speaks the real protocols: sign-in, Helix, EventSub by websocket, conduit and webhook."""

from tests.twitch.local import LocalTwitch

__all__ = ["LocalTwitch"]
