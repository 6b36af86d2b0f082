"""The API about itself."""

WITHOUT = {
    "api openapi": "GET /openapi.json is read without a key, as no route is",
    "api page": "GET /api.html is a page for people",
}
