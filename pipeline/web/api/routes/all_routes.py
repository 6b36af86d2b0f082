"""All operations of the API, subject by subject; a new subject is a line."""

from pipeline.web.api.routes.analytics import routes as analytics
from pipeline.web.api.routes.badges import routes as badges
from pipeline.web.api.routes.campaigns import routes as campaigns
from pipeline.web.api.routes.channels import routes as channels
from pipeline.web.api.routes.deliveries import routes as deliveries
from pipeline.web.api.routes.events import routes as events
from pipeline.web.api.routes.eventsub import routes as eventsub
from pipeline.web.api.routes.games import routes as games
from pipeline.web.api.routes.igdb import routes as igdb
from pipeline.web.api.routes.organizations import routes as organizations
from pipeline.web.api.routes.quarantine import routes as quarantine
from pipeline.web.api.routes.releases import routes as releases
from pipeline.web.api.routes.rewards import routes as rewards
from pipeline.web.api.routes.settings import routes as settings
from pipeline.web.api.routes.sources import routes as sources
from pipeline.web.api.routes.standing import routes as standing
from pipeline.web.api.routes.streams import routes as streams
from pipeline.web.api.routes.subscriptions import routes as subscriptions
from pipeline.web.api.routes.targets import routes as targets
from pipeline.web.api.routes.templates import routes as templates
from pipeline.web.api.routes.videos import routes as videos

_SUBJECTS = (
    *(badges, campaigns, events, games, igdb, organizations, releases, rewards),
    *(analytics, channels, eventsub, quarantine, settings),
    *(sources, standing, streams, videos),
    *(deliveries, subscriptions, targets, templates),
)
OPERATIONS = tuple(operation for routes in _SUBJECTS for operation in routes.operations)
