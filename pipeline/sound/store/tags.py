"""Tags: a person's own words for sounds."""

from collections.abc import Sequence

from sqlalchemy import Connection, func, select, update

from models import Sound
from models.errors import UsageError

LONGEST_TAG = 60
MOST_TAGS = 50


def change_tags(
    connection: Connection, sound_ids: Sequence[int], *, add: Sequence[str] = (), remove: Sequence[str] = ()
) -> dict[int, list[str]]:
    """Give sounds tags and take some from them; returns the tags that each has then, in their order.

    Tags are told apart by their letters alone: case does not count. Raises `UsageError` where one is none, or a sound
    would have too many.
    """
    added, gone = [tag_of(tag) for tag in add], {tag_of(tag).casefold() for tag in remove}
    after = {}
    rows = connection.execute(
        select(Sound.id, Sound.tags).where(Sound.id.in_(sound_ids)).order_by(Sound.id).with_for_update()
    ).all()
    for sound_id, tags in rows:
        kept = {tag.casefold(): tag for tag in tags if tag.casefold() not in gone}
        for tag in added:
            kept.setdefault(tag.casefold(), tag)
        if len(kept) > MOST_TAGS:
            raise UsageError(f"a sound has {MOST_TAGS} tags at most")
        after[sound_id] = list(kept.values())
        connection.execute(update(Sound).where(Sound.id == sound_id).values(tags=after[sound_id]))
    return after


def list_tags(connection: Connection, person_id: int) -> dict[str, int]:
    """Return the tags that a person's sounds have, and how many sounds have each, the most used first."""
    each = select(func.unnest(Sound.tags).label("tag")).where(Sound.person_id == person_id, Sound.removed_at.is_(None))
    tags = each.subquery()
    query = select(tags.c.tag, func.count()).group_by(tags.c.tag).order_by(func.count().desc(), tags.c.tag)
    return dict(connection.execute(query).all())


def tag_of(text: str) -> str:
    """Return a tag as it is kept; raises `UsageError` where it is empty, too long, or cannot be printed."""
    tag = " ".join(text.split())
    if not tag or len(tag) > LONGEST_TAG or not tag.isprintable():
        raise UsageError(f"a tag has 1 to {LONGEST_TAG} characters that can be printed")
    return tag
