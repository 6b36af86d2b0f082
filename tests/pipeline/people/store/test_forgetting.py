"""A person goes with all that is theirs alone."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, Table, func, insert, select, update
from sqlalchemy.exc import DBAPIError

from models import (
    Base,
    Delivery,
    Episode,
    Event,
    Extraction,
    Feed,
    Follow,
    GameList,
    LedgerEntry,
    Link,
    Playlist,
    PlaylistSound,
    Show,
    Sound,
    Subscription,
    Target,
)
from models.people import OWNER_ID
from pipeline.people.store.audit import note_change
from pipeline.people.store.forgetting import forget, let_go, look_at_removal
from pipeline.people.store.invitations import invite
from pipeline.people.store.keys import add_key
from pipeline.people.store.people import LastOwner, add_person
from tests.pipeline.people.store.people import NOON, add_ada, balance_of

_UUID = "00000000-0000-4000-8000-{:012}"


@pytest.fixture
def ada(connection: Connection) -> int:
    """A person with some of everything."""
    ada = add_ada(connection, credits_=10)
    key = add_key(connection, ada, "laptop", ["read"], NOON)
    note_change(
        connection, person_id=ada, key=key.public_id, method="POST", path="/x", operation="x", status=200, now=NOON
    )
    invite(connection, ada, NOON)
    target = _add(connection, Target, person_id=ada, name="phone", url_encrypted=b"x", label="json", created_at=NOON)
    _add(connection, Subscription, person_id=ada, target_id=target, name="all", is_exact=True, created_at=NOON)
    event = _add(
        connection,
        Event,
        person_id=ada,
        kind="library.added",
        event_key="k",
        occurred_at=NOON,
        recorded_at=NOON,
        title="x",
        silent=False,
        is_private=True,
        detail={},
    )
    _add(
        connection,
        Delivery,
        event_id=event,
        target_id=target,
        subscription_ids=[],
        created_at=NOON,
        next_attempt_at=NOON,
    )
    _add(connection, GameList, person_id=ada, name="next", slug="next", created_at=NOON)
    _add(connection, Follow, person_id=ada, kind="everything", created_at=NOON)
    link = _add(connection, Link, person_id=ada, opens="library", seed=b"s", digest=b"d", made_at=NOON)
    _add(connection, Feed, scope="library", link_id=link, path="private/x", title="My library")
    return ada


def _add(connection: Connection, table: type[Base], **values: object) -> int:
    columns = table.__table__.c
    known = {name: value for name, value in values.items() if name in columns}
    statement = insert(table).values(known).returning(columns.id)
    return int(connection.execute(statement).scalar_one())


def _sound(connection: Connection, person_id: int, number: int) -> int:
    row = {"public_id": _UUID.format(number), "kind": "track", "sha256": bytes([number]), "size": 1, "title": "x"}
    return _add(connection, Sound, person_id=person_id, added_at=NOON, original=f"sounds/{number}", **row)


def _playlist(connection: Connection, person_id: int, number: int, sound_id: int) -> None:
    row = {"public_id": _UUID.format(number), "name": "p", "name_key": "p", "added_at": NOON}
    playlist = _add(connection, Playlist, person_id=person_id, **row)
    connection.execute(
        insert(PlaylistSound).values(playlist_id=playlist, sound_id=sound_id, position="a", added_at=NOON)
    )


def _rows_of(connection: Connection, person_id: int) -> Iterator[tuple[str, int]]:
    for table in Base.metadata.sorted_tables:
        if "person_id" in table.c and (count := _count(connection, table, person_id)):
            yield table.name, count


def _count(connection: Connection, table: Table, person_id: int) -> int:
    return connection.scalar(select(func.count()).select_from(table).where(table.c.person_id == person_id)) or 0


def test_nothing_of_a_person_stays_anywhere(connection: Connection, ada: int) -> None:
    owners = dict(_rows_of(connection, OWNER_ID))
    _playlist(connection, ada, 2, _sound(connection, ada, 1))

    removal = look_at_removal(connection, ada)
    let_go(connection, ada, NOON)
    forget(connection, ada)

    assert dict(_rows_of(connection, ada)) == {}
    assert (removal.keys, removal.targets, removal.subscriptions, removal.sounds, removal.events) == (1, 1, 1, 1, 1)
    # The closed private address is known until its files are gone.
    assert dict(_rows_of(connection, OWNER_ID)) == owners | {"links": 1}
    assert connection.scalars(select(Link.revoked_at)).one() is not None
    assert balance_of(connection, ada) is None


def test_what_others_have_too_becomes_theirs(connection: Connection, ada: int) -> None:
    bob = add_person(connection, "bob", "member", NOON).id
    shared, own = _sound(connection, ada, 1), _sound(connection, ada, 2)
    _playlist(connection, bob, 3, shared)

    removal = look_at_removal(connection, ada)
    let_go(connection, ada, NOON)

    assert (removal.sounds, removal.sounds_handed_over) == (1, 1)
    kept = select(Sound.id, Sound.person_id, Sound.removed_at).order_by(Sound.id)
    assert [tuple(row) for row in connection.execute(kept)] == [(shared, bob, None), (own, ada, NOON)]
    forget(connection, ada)
    assert connection.scalars(select(Sound.id)).all() == [shared]


def test_what_is_fetched_for_anothers_show_goes_on(connection: Connection, ada: int) -> None:
    bob = add_person(connection, "bob", "member", NOON).id
    row = {"url": "http://example.org/a", "host": "example.org", "added_at": NOON, "next_due_at": NOON}
    wanted = _add(connection, Extraction, person_id=ada, **row)
    own = _add(connection, Extraction, person_id=ada, **row | {"url": "http://example.org/b"})
    show_row = {"public_id": _UUID.format(1), "name": "s", "name_key": "s", "title": "S", "since": NOON}
    show = _add(connection, Show, person_id=bob, added_at=NOON, **show_row)
    connection.execute(insert(Episode).values(show_id=show, extraction_id=wanted, added_at=NOON))

    let_go(connection, ada, NOON)

    states = select(Extraction.id, Extraction.person_id, Extraction.state).order_by(Extraction.id)
    assert [tuple(row) for row in connection.execute(states)] == [(wanted, bob, "pending"), (own, ada, "cancelled")]
    forget(connection, ada)


def test_whom_the_installation_cannot_do_without_stays(connection: Connection) -> None:
    add_person(connection, "ada", "owner", NOON)

    for step in (look_at_removal, forget):
        with pytest.raises(LastOwner, match="commands act for"):
            step(connection, OWNER_ID)


def test_another_persons_ledger_cannot_be_forgotten_with_it(connection: Connection, ada: int) -> None:
    bob = add_person(connection, "bob", "member", NOON, plan="adas").id
    forget(connection, ada)

    assert dict(_rows_of(connection, bob))["ledger_entries"] == 1
    with pytest.raises(DBAPIError, match="append-only"), connection.begin_nested():
        connection.execute(update(LedgerEntry).values(amount=0))
