"""Twitch's EventSub: what it sends is kept first and handled then, by websocket through a conduit or by webhook."""
