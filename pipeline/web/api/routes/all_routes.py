"""All operations of the API, subject by subject; a new subject is a line."""

from pipeline.web.api.routes.deliveries import routes as deliveries
from pipeline.web.api.routes.subscriptions import routes as subscriptions
from pipeline.web.api.routes.targets import routes as targets
from pipeline.web.api.routes.templates import routes as templates

OPERATIONS = tuple(
    operation for routes in (deliveries, subscriptions, targets, templates) for operation in routes.operations
)
