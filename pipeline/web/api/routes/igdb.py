"""`/igdb`: how the copy of IGDB's catalogue stands."""

from pipeline.operations import igdb
from pipeline.operations.igdb import IgdbAnswer
from pipeline.web.api.calls import Reading
from pipeline.web.api.routing import Routes

routes = Routes("igdb")


@routes.add("GET", "/igdb", scope="read")
def show_status(call: Reading) -> IgdbAnswer:
    """Say how many games are kept, how far the mirror is, when changes were last swept, how much was asked."""
    return igdb.show_status(call.runtime, call.connection, call.now)
