"""Addresses of pictures by size: IGDB's covers, and box arts whose address leaves the size open."""

import re

from models.pictures import sized

_IMAGE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
# As large as mails and feeds show it: https://api-docs.igdb.com/#images.
COVER = "cover_big"


def cover_url(cover_id: str | None, size: str = COVER) -> str | None:
    """Return the address of a cover in one of IGDB's sizes (`cover_small` 90x128, `cover_big` 264x374, `720p`)."""
    if cover_id is None or not _IMAGE_ID.fullmatch(cover_id):
        return None
    return f"https://images.igdb.com/igdb/image/upload/t_{size}/{cover_id}.jpg"


def box_art(address: str | None, cover_id: str | None) -> str | None:
    """Return the box art of a game in a size to show, or its cover where no service gives one."""
    return sized(address) or cover_url(cover_id)
