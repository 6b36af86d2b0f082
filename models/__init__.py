"""The tables of Lootwire, and what all rooms know: errors, locks, names, words.

The tables are imported when the first of them is used: SQLAlchemy costs half a second of a command's time and 35 MB
of a program's memory, and a program that only raises an error needs none of it.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from models.tables import *  # noqa: F403 - every table, under the name that it has there


def __getattr__(name: str) -> Any:
    # Only tables have such names; the others are modules, which Python imports itself.
    if name[0].isupper():
        from models import tables

        return getattr(tables, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
