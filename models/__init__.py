"""The tables of Lootwire, and what all rooms know: errors, locks, names, words.

The tables are imported with the first of them that somebody asks for: SQLAlchemy costs half a second of a command's
time and 35 MB of a program's memory, and whoever only raises an error needs none of it.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from models.tables import *  # noqa: F403 - every table, under the name that it has there


def __getattr__(name: str) -> Any:
    # Tables alone have names like this; what else is asked of a package are its modules.
    if name[0].isupper():
        from models import tables

        return getattr(tables, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
