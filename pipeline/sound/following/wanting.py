"""Says which entries of a list, and which clips, a show wants. Pure."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from pipeline.services.twitch.records import ClipRecord
from pipeline.sound.downloading.wire import Entry


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What a show takes; `models.sounds.Show` says what each field is. `twitch_game_id` is Twitch's category."""

    kinds: Sequence[str]
    since: datetime
    title_has: str | None = None
    longer_than: int | None = None
    twitch_game_id: str | None = None
    is_of_a_game: bool = False


def wants_entry(wish: Wish, entry: Entry) -> bool:
    """Return whether a show wants an entry of its address; what the list leaves out is no reason against it."""
    if entry.live_status in {"is_live", "is_upcoming"}:
        # Its recording will be on the list.
        return False
    if entry.published_at is not None and entry.published_at < wish.since:
        return False
    return _fits(wish, entry.title, entry.seconds)


def wants_clip(wish: Wish, clip: ClipRecord) -> bool:
    """Return whether a show wants a clip of its channel."""
    if "clip" not in wish.kinds or clip.created_at < wish.since:
        return False
    if wish.is_of_a_game and (wish.twitch_game_id is None or clip.game_id != wish.twitch_game_id):
        return False
    return _fits(wish, clip.title, clip.seconds)


def _fits(wish: Wish, title: str | None, seconds: float | None) -> bool:
    if wish.title_has is not None and wish.title_has.casefold() not in (title or "").casefold():
        return False
    return wish.longer_than is None or seconds is None or seconds >= wish.longer_than
