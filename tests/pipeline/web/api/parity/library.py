"""Libraries."""

ROUTES = {
    "library list": "GET /library",
    "library show": "GET /library/{work}",
    "library why": "GET /library/{work}/origins",
    "library stats": "GET /library/stats",
    "library check": "GET /library/remarks",
    "library add": "POST /library",
    "library set": "PATCH /library/{work}",
    "library hide": "POST /library/{work}/hide",
    "library unhide": "POST /library/{work}/unhide",
    "library forget": "DELETE /library/{work}",
    "library platforms list": "GET /library/platforms",
    "library platforms set": "PUT /library/platforms",
    "library platforms clear": "PUT /library/platforms",
    "library import": "POST /library/imports",
    "library review": "GET /library/waiting",
    "library settle": "POST /library/waiting/settle",
    "library undo": "POST /library/waiting/{line}/undo",
    "library accounts": "GET /library/accounts",
}
WITHOUT = {
    "library export": "writes a file for other trackers; a program reads `GET /library`",
}
ALONE = {
    "POST /library/accounts": "a key of one's own for a shop, where `sources login` may need a browser and a terminal",
    "DELETE /library/accounts/{account}": "what that signed in",
    "POST /library/accounts/{account}/sync": "the owner's `sources` commands are for all accounts of a shop at once",
}
