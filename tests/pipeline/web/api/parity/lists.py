"""Lists of games."""

ROUTES = {
    "games lists list": "GET /lists",
    "games lists show": ("GET /lists/{name}", "GET /lists/{name}/entries"),
    "games lists create": "POST /lists",
    "games lists describe": "PATCH /lists/{name}",
    "games lists remove": ("DELETE /lists/{name}", "DELETE /lists/{name}/entries/{entry}"),
    "games lists add": "POST /lists/{name}/entries",
    "games lists move": "POST /lists/{name}/entries/{entry}/move",
    "games lists note": "PUT /lists/{name}/entries/{entry}/note",
    "games lists settle": "POST /lists/{name}/entries/{entry}/settle",
    "games lists log": "GET /lists/{name}/log",
    "games lists import": "POST /lists/imports",
}
WITHOUT = {"games lists export": "writes a file that is imported again; a program reads the entries"}
