"""`/status` and `/health`: how the installation stands."""

from pipeline.operations import standing
from pipeline.operations.standing import Health, Standing
from pipeline.web.api.calls import Working
from pipeline.web.api.routing import Routes

routes = Routes("status")


@routes.add("GET", "/status", scope="read", role="owner")
def show_standing(call: Working) -> Standing:
    """Say how the installation stands, in a few figures."""
    return standing.show_standing(call.runtime.engine, call.runtime.settings, call.now)


@routes.add("GET", "/health", scope=None)
def show_health(call: Working) -> Health:
    """Say whether all is well, to anybody: `status` is `ok`, `starting` or `failing`.

    A monitor that looks at the status of an answer alone asks `/health` on the receiver's port, which is 503 then.
    """
    return standing.look_at_health(call.runtime.engine, call.runtime.redis_url, call.runtime.settings, call.now)
