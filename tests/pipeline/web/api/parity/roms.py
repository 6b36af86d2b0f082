"""ROMs."""

ROUTES = {
    "roms list": "GET /roms/folders",
    "roms add": "POST /roms/folders",
    "roms remove": "DELETE /roms/folders/{folder}",
    "roms scan": "POST /roms/folders/{folder}/scan",
    "roms show": ("GET /roms", "GET /roms/{rom}"),
    "roms unread": "GET /roms/unread",
    "roms missing": "GET /roms/missing",
    "roms misnamed": "GET /roms/misnamed",
    "roms duplicates": "GET /roms/duplicates",
    "roms best": "GET /roms/best",
    "roms stats": "GET /roms/stats",
    "roms dats list": "GET /roms/dats",
    "roms review": "GET /library/waiting",
    "roms settle": "POST /roms/settle",
    "roms unmatch": "POST /roms/unmatch",
    "roms undo": "POST /roms/undo",
    "roms export": "POST /roms/exports",
}
WITHOUT = {
    "roms dats import": "reads files of the machine, large ones and for everybody",
    "roms journal": "reads files of the machine wherever they lie",
}
ALONE = {
    "GET /roms/folders/{folder}": "a change is read back by it; people look at all folders",
    "GET /roms/exports": "what a program may run again; people name the file",
}
