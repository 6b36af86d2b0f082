"""Works."""

ROUTES = {"games work": ("GET /games/{game}/work", "PUT /games/{game}/work", "DELETE /games/{game}/work")}
