"""A local IGDB that speaks APICalypse, counts requests as the real one does, and errs as it does."""

from tests.igdb.local import LocalIgdb

__all__ = ["LocalIgdb"]
