"""All operations of the API, subject by subject; a new subject is a line."""

from pipeline.web.api.routes.badges import routes as badges
from pipeline.web.api.routes.campaigns import routes as campaigns
from pipeline.web.api.routes.events import routes as events
from pipeline.web.api.routes.organizations import routes as organizations
from pipeline.web.api.routes.rewards import routes as rewards
from pipeline.web.api.routes.targets import routes as targets

OPERATIONS = tuple(
    operation
    for routes in (events, campaigns, rewards, badges, organizations, targets)
    for operation in routes.operations
)
