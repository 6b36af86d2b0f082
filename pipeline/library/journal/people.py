"""Write on which platforms a person plays."""

from collections.abc import Sequence

from sqlalchemy import Connection, select, update

from models import Person, Platform
from models.errors import UsageError
from models.names import name_key, nearest
from pipeline.games.mirror.state import is_kept
from pipeline.games.platforms import called, known_platforms

LONGEST = 100


def platforms_of(connection: Connection, person_id: int) -> list[str]:
    """Return the platforms that a person plays on, as events name them."""
    return list(connection.scalars(select(Person.platforms).where(Person.id == person_id)).one())


def set_platforms(connection: Connection, person_id: int, names: Sequence[str]) -> list[str]:
    """Write down on which platforms a person plays, and return what they are called here: "PS5" is PlayStation 5.

    Raises `UsageError` for one that neither we nor IGDB know, where the whole catalogue is here, or that resembles one
    which is known.
    """
    rows = connection.execute(select(Platform.name, Platform.abbreviation)).all()
    by_key = {
        name_key(text): called(row.name) for row in rows if row.name for text in (row.name, row.abbreviation) if text
    }
    written = list(dict.fromkeys(_called(connection, name, by_key) for name in names))
    connection.execute(update(Person).where(Person.id == person_id).values(platforms=written))
    return written


def _called(connection: Connection, name: str, by_key: dict[str, str]) -> str:
    if (known := by_key.get(name_key(name))) is not None:
        return known
    plain = called(name)
    if plain in known_platforms():
        return plain
    near = nearest(name, {*by_key.values(), *known_platforms()})
    if near or is_kept(connection) or not name.strip() or len(name) > LONGEST:
        hint = f"did you mean {' or '.join(near)}?" if near else "write it as IGDB does"
        raise UsageError(f"{name!r} is no platform that is known; {hint}")
    return plain
