"""All operations of the API, subject by subject; a new subject is a line."""

from pipeline.web.api.routes.analytics import routes as analytics
from pipeline.web.api.routes.badges import routes as badges
from pipeline.web.api.routes.campaigns import routes as campaigns
from pipeline.web.api.routes.channels import routes as channels
from pipeline.web.api.routes.deliveries import routes as deliveries
from pipeline.web.api.routes.drops import routes as drops
from pipeline.web.api.routes.events import routes as events
from pipeline.web.api.routes.eventsub import routes as eventsub
from pipeline.web.api.routes.extractions import routes as extractions
from pipeline.web.api.routes.feeds import routes as feeds
from pipeline.web.api.routes.games import routes as games
from pipeline.web.api.routes.igdb import routes as igdb
from pipeline.web.api.routes.keys import routes as keys
from pipeline.web.api.routes.library import routes as library
from pipeline.web.api.routes.library_imports import routes as library_imports
from pipeline.web.api.routes.lists import routes as lists
from pipeline.web.api.routes.organizations import routes as organizations
from pipeline.web.api.routes.people import routes as people
from pipeline.web.api.routes.plans import ledger_routes as ledger
from pipeline.web.api.routes.plans import plan_routes as plans
from pipeline.web.api.routes.playlists import routes as playlists
from pipeline.web.api.routes.playthroughs import routes as playthroughs
from pipeline.web.api.routes.quarantine import routes as quarantine
from pipeline.web.api.routes.releases import routes as releases
from pipeline.web.api.routes.rewards import routes as rewards
from pipeline.web.api.routes.roms import routes as roms
from pipeline.web.api.routes.settings import routes as settings
from pipeline.web.api.routes.shows import routes as shows
from pipeline.web.api.routes.sounds import plays
from pipeline.web.api.routes.sounds import routes as sounds
from pipeline.web.api.routes.sources import routes as sources
from pipeline.web.api.routes.standing import routes as standing
from pipeline.web.api.routes.streams import routes as streams
from pipeline.web.api.routes.subscriptions import routes as subscriptions
from pipeline.web.api.routes.targets import routes as targets
from pipeline.web.api.routes.templates import routes as templates
from pipeline.web.api.routes.videos import routes as videos
from pipeline.web.api.routes.works import routes as works

_SUBJECTS = (
    *(analytics, badges, campaigns, channels, deliveries, drops, events, eventsub, extractions, feeds),
    *(games, igdb, keys, library, library_imports, lists, organizations, people, plans, ledger, playlists),
    *(plays, playthroughs, quarantine, releases, rewards, roms, settings, shows, sounds, sources, standing),
    *(streams, subscriptions, targets, templates, videos, works),
)
OPERATIONS = tuple(operation for routes in _SUBJECTS for operation in routes.operations)
