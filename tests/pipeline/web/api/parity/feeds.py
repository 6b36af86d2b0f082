"""Feeds."""

_FILES = "it writes and checks files of this machine, which the worker publishes by itself"
ROUTES = {
    "feeds list": "GET /feeds",
    "feeds show": "GET /feeds/{feed}",
    "feeds links": "GET /feeds/personal",
    "feeds private": ["POST /feeds/personal", "GET /feeds/personal/{link}"],
    "feeds rotate": "POST /feeds/personal/{link}/rotate",
}
WITHOUT = {"feeds build": _FILES}
