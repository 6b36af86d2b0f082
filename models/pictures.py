"""Addresses of pictures that leave their size open. Pure."""

import re

BOX_ART = (285, 380)
# As large as mails and feeds show it: https://api-docs.igdb.com/#images.
COVER = "cover_big"
_IMAGE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def sized(address: str | None, width: int = BOX_ART[0], height: int = BOX_ART[1]) -> str | None:
    """Return an address with `{width}` and `{height}` filled in, as Twitch's are to be; others are as they were."""
    return address and address.replace("{width}", str(width)).replace("{height}", str(height))


def cover_url(cover_id: str | None, size: str = COVER) -> str | None:
    """Return the address of a cover in one of IGDB's sizes (`cover_small` 90x128, `cover_big` 264x374, `720p`)."""
    if cover_id is None or not _IMAGE_ID.fullmatch(cover_id):
        return None
    return f"https://images.igdb.com/igdb/image/upload/t_{size}/{cover_id}.jpg"


def box_art(address: str | None, cover_id: str | None) -> str | None:
    """Return the box art of a game in a size to show, or its cover where no service gives one."""
    return sized(address) or cover_url(cover_id)
