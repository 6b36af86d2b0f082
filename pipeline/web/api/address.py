"""Where the API is."""

PREFIX = "/api/v1"
# The page that describes it stands beside the published ones.
PAGE = "/api.html"
