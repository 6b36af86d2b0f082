"""What is known of games beyond IGDB's answers: frozen values. Pure."""

from datetime import datetime

import msgspec

from pipeline.services.igdb.records import ReleaseRecord


class StoredRelease(msgspec.Struct, frozen=True, gc=False):
    """A release date as it is stored.

    `last_seen_at` is null while IGDB lists it, else when it was found gone; `told_at` is when it was told to be out.
    """

    release: ReleaseRecord
    first_seen_at: datetime
    last_seen_at: datetime | None = None
    told_at: datetime | None = None
