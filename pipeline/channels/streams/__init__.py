"""Followed Twitch channels: who is live, since when, playing what, and what is told of it."""
