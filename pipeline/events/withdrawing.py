"""Take back events of a person that nobody was sent: what they tell of has been undone, so that it never was."""

from collections.abc import Collection

from sqlalchemy import ARRAY, BigInteger, Connection, bindparam, text

from feeds.take_in import mark

_IDS = bindparam("ids", type_=ARRAY(BigInteger))
_DELETE = text("""
    DELETE FROM events WHERE id = ANY(:ids) AND silent AND person_id IS NOT NULL
        AND NOT EXISTS (SELECT FROM deliveries WHERE deliveries.event_id = events.id)
    RETURNING id
""").bindparams(_IDS)
_UNMARK = text("DELETE FROM unpublished WHERE event_id = ANY(:ids)").bindparams(_IDS)
# Personal feeds alone have events of a person; locked as a publish locks them, which goes on from their totals.
_FEEDS = text("""
    SELECT id FROM feeds WHERE link_id IS NOT NULL AND EXISTS (
        SELECT FROM feed_items WHERE feed_id = feeds.id AND event_id = ANY(:ids)
    ) ORDER BY id FOR NO KEY UPDATE
""").bindparams(_IDS)
_TAKE_OFF = text("DELETE FROM feed_items WHERE feed_id = :feed_id AND event_id = ANY(:ids)").bindparams(_IDS)
# In two steps, so that no place is taken twice at any moment.
_LIFT = text("UPDATE feed_items SET position = -position WHERE feed_id = :feed_id")
_CLOSE_UP = text("""
    UPDATE feed_items SET position = numbered.place
    FROM (
        SELECT position, row_number() OVER (ORDER BY position DESC) AS place FROM feed_items WHERE feed_id = :feed_id
    ) AS numbered
    WHERE feed_items.feed_id = :feed_id AND feed_items.position = numbered.position
""")
_RENEW = text("""
    UPDATE feeds SET version = version + 1, archivable = 0, archived = 0,
        total = (SELECT count(*) FROM feed_items WHERE feed_id = feeds.id)
    WHERE id = :feed_id
""")
_FIRST = text("SELECT event_id FROM feed_items WHERE feed_id = :feed_id AND position = 1")


def withdraw_events(connection: Connection, ids: Collection[int]) -> int:
    """Delete events of a person that no delivery was made of, and take them off their feeds; returns how many.

    Any other event stays as it is. Belongs in a transaction of a caller that has the turn to publish
    (`feeds.take_in.TURN`) and has undone what the events tell of; the same may be appended again later.
    """
    if not ids:
        return 0
    gone = sorted(connection.scalars(_DELETE, {"ids": sorted(ids)}))
    if not gone:
        return 0
    connection.execute(_UNMARK, {"ids": gone})
    for feed_id in list(connection.scalars(_FEEDS, {"ids": gone})):
        of_feed = {"feed_id": feed_id}
        connection.execute(_TAKE_OFF, {**of_feed, "ids": gone})
        connection.execute(_LIFT, of_feed)
        connection.execute(_CLOSE_UP, of_feed)
        connection.execute(_RENEW, of_feed)
        # The next publish counts its pages of older items anew, as it does for any feed that an event touches.
        mark(connection, list(connection.scalars(_FIRST, of_feed)))
    return len(gone)
