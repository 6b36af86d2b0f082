"""How Twitch spells the fields of its answers."""

import msgspec


class Wire(msgspec.Struct, rename="camel"):
    """Base of Twitch's shapes: camelCase, unknown fields pass."""
