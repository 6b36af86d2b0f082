"""Ten thousand keys that open nothing, and the few that do."""

import random
import string
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Connection, func, insert, select, text

from models import ApiKey
from models.errors import UnknownThing, UsageError
from models.people import OWNER_ID
from pipeline.people.keys import NewKey, make_key, read_id
from pipeline.people.store import keys as store
from pipeline.people.store.keys import add_key, find_holder, list_keys, note_use, revoke_key, rotate_key
from pipeline.people.store.people import add_person, change_role, disable_person
from tests.pipeline.people.store.people import NOON

EACH = 2_500
HOUR = timedelta(hours=1)


def _refused(connection: Connection, keys: Iterator[str]) -> int:
    return sum(find_holder(connection, key, NOON) is None for key in keys)


def _stored(connection: Connection, **values: object) -> list[NewKey]:
    """Make many keys of the owner, and write them down as one statement."""
    keys = [make_key() for _ in range(EACH)]
    row = {"person_id": OWNER_ID, "name": "test", "scopes": ["read"], "created_at": NOON, "expires_at": None}
    rows = [row | {"public_id": key.public_id, "digest": key.digest} | values for key in keys]
    connection.execute(insert(ApiKey), rows)
    # Else PostgreSQL takes the table for an empty one, and reads it whole for each key.
    connection.execute(text("ANALYZE api_keys"))
    return keys


def test_forged_keys_are_refused(connection: Connection) -> None:
    dice = random.Random(17)  # noqa: S311 - the same run each time
    letters = string.ascii_lowercase + string.digits + "_"
    known = add_key(connection, OWNER_ID, "laptop", ["read"], NOON)

    def forged() -> Iterator[str]:
        for number in range(EACH):
            match number % 4:
                case 0:
                    # Whole, and of nobody.
                    yield make_key().key
                case 1:
                    # With the id of one that is valid, and another secret.
                    yield known.key[:16] + make_key().key[16:]
                case 2:
                    at = dice.randrange(len(known.key))
                    other = dice.choice([each for each in letters if each != known.key[at]])
                    yield known.key[:at] + other + known.key[at + 1 :]
                case _:
                    yield "".join(dice.choices(letters, k=dice.randrange(120)))

    assert _refused(connection, forged()) == EACH
    assert find_holder(connection, known.key, NOON) is not None


def test_keys_that_were_cut_short_are_refused(connection: Connection) -> None:
    keys = _stored(connection)
    dice = random.Random(18)  # noqa: S311 - the same run each time

    assert _refused(connection, (key.key[: dice.randrange(len(key.key))] for key in keys)) == EACH
    assert all(read_id(key.key[:-1]) is None for key in keys[:100])


@pytest.mark.parametrize("ended", ["expires_at", "revoked_at"])
def test_keys_that_ended_are_refused(connection: Connection, ended: str) -> None:
    keys = _stored(connection, **{ended: NOON})

    assert _refused(connection, (key.key for key in keys)) == EACH


def test_a_key_with_the_digest_of_another_is_refused(connection: Connection) -> None:
    # A checksum that fits, and an id that is there: the digest alone tells, and is compared in constant time.
    key = make_key()
    forged = store.NewKey(key=key.key, public_id=key.public_id, digest=make_key().digest)
    row = {"public_id": forged.public_id, "digest": forged.digest, "person_id": OWNER_ID, "name": "x"}
    connection.execute(insert(ApiKey).values(row | {"scopes": ["read"], "created_at": NOON}))

    assert find_holder(connection, forged.key, NOON) is None


def test_who_is_disabled_has_no_valid_key(connection: Connection) -> None:
    ada = add_person(connection, "ada", "member", NOON).id
    key = add_key(connection, ada, "laptop", ["read"], NOON)

    disable_person(connection, ada, NOON)

    assert find_holder(connection, key.key, NOON) is None


def test_a_key_never_does_more_than_its_persons_role(connection: Connection) -> None:
    ada = add_person(connection, "ada", "member", NOON).id
    key = add_key(connection, ada, "laptop", ["read", "library"], NOON)
    with pytest.raises(UsageError, match="may not have admin"):
        add_key(connection, ada, "laptop", ["admin"], NOON)

    change_role(connection, ada, "guest")

    holder = find_holder(connection, key.key, NOON)
    assert holder is not None
    assert holder.scopes == {"read"}


def test_a_rotated_key_works_for_an_hour_more(connection: Connection) -> None:
    old = add_key(connection, OWNER_ID, "laptop", ["read"], NOON)

    new = rotate_key(connection, old.public_id, NOON)

    for key, at, works in ((old, NOON + HOUR, False), (old, NOON + HOUR / 2, True), (new, NOON + 2 * HOUR, True)):
        assert (find_holder(connection, key.key, at) is not None) == works
    with pytest.raises(UnknownThing):
        rotate_key(connection, "nobodys", NOON)


def test_a_revoked_key_is_still_listed_and_cannot_be_revoked_again(connection: Connection) -> None:
    key = add_key(connection, OWNER_ID, "laptop", ["read"], NOON)
    revoke_key(connection, key.public_id, NOON)

    (line,) = list_keys(connection)
    assert (line.key, line.revoked_at) == (key.public_id, NOON)
    with pytest.raises(UnknownThing):
        revoke_key(connection, key.public_id, NOON)


def test_the_last_use_is_true_to_the_hour(connection: Connection) -> None:
    key = add_key(connection, OWNER_ID, "laptop", ["read"], NOON)
    holder = find_holder(connection, key.key, NOON)
    assert holder is not None
    used = select(ApiKey.last_used_at)

    for minutes, noted in ((0, NOON), (30, NOON), (61, NOON + timedelta(minutes=61))):
        note_use(connection, holder.key_id, NOON + timedelta(minutes=minutes))
        assert connection.scalar(used) == noted


def test_the_database_keeps_digests_alone(connection: Connection) -> None:
    key = add_key(connection, OWNER_ID, "laptop", ["read"], NOON)

    row = connection.scalar(select(func.row_to_json(ApiKey.__table__.table_valued())))

    assert key.key not in str(row)
    assert key.key not in repr(key)
