"""All operations of the API, subject by subject; a new subject is a line."""

from pipeline.web.api.routes.library import routes as library
from pipeline.web.api.routes.library_imports import routes as library_imports
from pipeline.web.api.routes.lists import routes as lists
from pipeline.web.api.routes.playthroughs import routes as playthroughs
from pipeline.web.api.routes.roms import routes as roms
from pipeline.web.api.routes.targets import routes as targets
from pipeline.web.api.routes.works import routes as works

OPERATIONS = tuple(
    operation
    # The paths below `/library` before that of one work.
    for routes in (library_imports, library, lists, playthroughs, roms, targets, works)
    for operation in routes.operations
)
