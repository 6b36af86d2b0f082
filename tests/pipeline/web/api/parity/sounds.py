"""Sounds, shows, playlists, extractions and plays."""

_ON_THE_MACHINE = "reads a file of the machine, or changes what is installed there"

ROUTES = {
    "sounds list": "GET /sounds",
    "sounds show": "GET /sounds/{sound}",
    "sounds add": "POST /sounds",
    "sounds retry": ["POST /extractions/retry", "POST /extractions/{extraction}/retry"],
    "sounds cancel": "POST /extractions/{extraction}/cancel",
    "sounds remove": "DELETE /sounds/{sound}",
    "sounds tag": ["GET /sounds/tags", "POST /sounds/{sound}/tags"],
    "sounds play": ["POST /sounds/{sound}/plays", "GET /sounds/{sound}/file"],
    "sounds stats": "GET /sounds/stats",
    # The command renders and scans at once, the routes have it done while Lootwire runs.
    "sounds render": "POST /sounds/render",
    "sounds scan": ["POST /sounds/folders", "POST /sounds/folders/{folder}/scan"],
    "sounds folders": "GET /sounds/folders",
    "sounds forget": "DELETE /sounds/folders/{folder}",
    "shows list": "GET /shows",
    "shows add": "POST /shows",
    # The command prints episodes and addresses, too.
    "shows show": ["GET /shows/{show}", "GET /shows/{show}/episodes", "GET /shows/{show}/podcast"],
    "shows change": "PATCH /shows/{show}",
    "shows remove": "DELETE /shows/{show}",
    "playlists list": "GET /playlists",
    "playlists create": "POST /playlists",
    "playlists show": [
        "GET /playlists/{playlist}",
        "GET /playlists/{playlist}/sounds",
        "GET /playlists/{playlist}/podcast",
    ],
    "playlists change": "PATCH /playlists/{playlist}",
    "playlists add": "POST /playlists/{playlist}/sounds",
    "playlists move": "PUT /playlists/{playlist}/sounds/{sound}",
    "playlists take-off": "DELETE /playlists/{playlist}/sounds/{sound}",
    "playlists remove": "DELETE /playlists/{playlist}",
    "extractions list": "GET /extractions",
    "extractions show": "GET /extractions/{extraction}",
}
WITHOUT = {
    "sounds update-extractors": _ON_THE_MACHINE,
    "sounds cookies": "what signs in at a service stays at the machine, with the hosts that it is for",
    "sounds cookies set": _ON_THE_MACHINE,
    "sounds cookies remove": "what signs in at a service is taken away where it was given",
}
ALONE = {
    "GET /plays": "`sounds show` and `sounds stats` count plays, a program wants each",
    "POST /shows/{show}/rotate": "`feeds rotate` names what any private link opens",
    "POST /playlists/{playlist}/rotate": "`feeds rotate` names what any private link opens",
}
