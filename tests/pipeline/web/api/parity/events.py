"""Events."""

ROUTES = {"events": "GET /events"}
ALONE = {"GET /events/{event}": "a line of the command has all of its event"}
