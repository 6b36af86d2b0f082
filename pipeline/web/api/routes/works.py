"""`/games/{game}/work`: which games are one work, on which all libraries go."""

import msgspec

from pipeline.games.store.families import FamilyPage
from pipeline.operations import works
from pipeline.web.api.calls import Changing, Reading
from pipeline.web.api.routes.library_words import Name
from pipeline.web.api.routing import Routes

routes = Routes("works")


class PinBody(msgspec.Struct, frozen=True, kw_only=True):
    """The game that it is one work `with`, or `alone` for none."""

    other: Name | None = msgspec.field(name="with", default=None)
    alone: bool = False

    def __post_init__(self) -> None:
        if (self.other is None) is not self.alone:
            raise ValueError("give one of with and alone")


@routes.add("GET", "/games/{game}/work", scope="read")
def show_family(call: Reading, game: str) -> FamilyPage:
    """Show the games that are one work with a game: its ports, remasters, editions and DLC.

    A library goes by works: whoever owns one of these games owns them all. Remakes are works of their own.
    """
    return works.read_family(call.connection, game)


@routes.add("PUT", "/games/{game}/work", scope="library", role="owner")
def pin_work(call: Changing, game: str, body: PinBody) -> FamilyPage:
    """Pin the work of a game: it is one with another, or with none. All libraries go by it."""
    if body.other is None:
        return works.part(call.connection, call.now, game)
    return works.join(call.connection, call.now, game, body.other)


@routes.add("DELETE", "/games/{game}/work", scope="library", role="owner")
def unpin_work(call: Changing, game: str) -> None:
    """Forget what was pinned of a game: IGDB decides again."""
    works.unpin(call.connection, call.now, game)
