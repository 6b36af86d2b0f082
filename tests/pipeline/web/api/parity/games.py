"""Games, their releases, and the catalogue of IGDB."""

ROUTES = {
    "games list": "GET /games",
    "games search": "GET /games/search",
    "games show": "GET /games/{game}",
    "games follow": "PUT /games/{game}/follow",
    "games unfollow": "DELETE /games/{game}/follow",
    "games followed": "GET /games/followed",
    "games sync": "POST /games/{game}/sync",
    "games link": ["GET /games/{game}/link", "PUT /games/{game}/link", "DELETE /games/{game}/link"],
    "releases": "GET /releases",
    "igdb list": "GET /igdb",
    "igdb status": "GET /igdb",
}
WITHOUT = {"igdb sync": "it asks for hours of the whole catalogue; the worker asks for what is due by itself"}
