"""Followed Twitch channels: which are live, since when, playing what, and the events of it."""
