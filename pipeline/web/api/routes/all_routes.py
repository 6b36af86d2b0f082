"""All operations of the API, subject by subject; a new subject is a line."""

from pipeline.web.api.routes.extractions import routes as extractions
from pipeline.web.api.routes.playlists import routes as playlists
from pipeline.web.api.routes.shows import routes as shows
from pipeline.web.api.routes.sounds import plays
from pipeline.web.api.routes.sounds import routes as sounds
from pipeline.web.api.routes.targets import routes as targets

OPERATIONS = tuple(
    operation
    for routes in (
        targets,
        sounds,
        plays,
        extractions,
        shows,
        playlists,
    )
    for operation in routes.operations
)
