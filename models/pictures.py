"""Addresses of pictures that leave their size open. Pure."""

BOX_ART = (285, 380)


def sized(address: str | None, width: int = BOX_ART[0], height: int = BOX_ART[1]) -> str | None:
    """Return an address with `{width}` and `{height}` filled in, as Twitch's are to be; others are as they were."""
    return address and address.replace("{width}", str(width)).replace("{height}", str(height))
