"""Twitch's EventSub: messages come by websocket through a conduit or by webhook, are kept first, then handled."""
