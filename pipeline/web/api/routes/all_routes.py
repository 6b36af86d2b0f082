"""All operations of the API, subject by subject; a new subject is a line."""

from pipeline.web.api.routes.events import routes as events
from pipeline.web.api.routes.targets import routes as targets

OPERATIONS = tuple(operation for routes in (events, targets) for operation in routes.operations)
