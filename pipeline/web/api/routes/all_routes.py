"""All operations of the API, subject by subject; a new subject is a line."""

from pipeline.web.api.routes.deliveries import routes as deliveries
from pipeline.web.api.routes.keys import routes as keys
from pipeline.web.api.routes.people import routes as people
from pipeline.web.api.routes.plans import ledger_routes as ledger
from pipeline.web.api.routes.plans import plan_routes as plans
from pipeline.web.api.routes.subscriptions import routes as subscriptions
from pipeline.web.api.routes.targets import routes as targets
from pipeline.web.api.routes.templates import routes as templates

OPERATIONS = tuple(
    operation
    for routes in (people, keys, plans, ledger, deliveries, subscriptions, targets, templates)
    for operation in routes.operations
)
