"""Clients of Twitch and IGDB: tokens, requests, shapes of answers, records."""
