"""The journal."""

ROUTES = {
    "journal list": "GET /playthroughs",
    "journal show": "GET /playthroughs",
    "journal add": "POST /playthroughs",
    "journal edit": "PATCH /playthroughs/{playthrough}",
    "journal finish": "POST /playthroughs/finish",
    "journal remove": "DELETE /playthroughs/{playthrough}",
}
ALONE = {"GET /playthroughs/{playthrough}": "a change is read back by it; people look at the whole journal"}
