"""Requests to services and other addresses: deadlines, caps, retries, shared rate limits, shapes of answers."""
