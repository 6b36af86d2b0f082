"""Targets, subscriptions, deliveries, templates and rules."""

ROUTES = {
    "targets list": "GET /targets",
    "targets add": "POST /targets",
    "targets set": "PATCH /targets/{target}",
    "targets mute": "POST /targets/{target}/mute",
    "targets unmute": "POST /targets/{target}/unmute",
    "targets pause": "POST /targets/{target}/pause",
    "targets resume": "POST /targets/{target}/resume",
    "targets test": "POST /targets/{target}/test",
    "targets remove": "DELETE /targets/{target}",
    "subscriptions list": "GET /subscriptions",
    "subscriptions add": "POST /subscriptions",
    "subscriptions remove": "DELETE /subscriptions/{subscription}",
    "subscriptions platforms": ["GET /subscriptions/platforms", "PUT /subscriptions/platforms"],
    "subscriptions try": ["GET /targets/{target}/try", "GET /subscriptions/{subscription}/try"],
    # Its option --replay is the second.
    "deliveries list": ["GET /deliveries", "POST /deliveries/replay"],
    "deliveries replay": "POST /deliveries/{delivery}/replay",
    "why": "GET /deliveries/{delivery}",
    "inbox": "GET /targets/{target}/inbox",
    "why-not": "GET /targets/{target}/why-not",
    "templates list": "GET /templates",
    "templates check": "GET /templates/check",
    "templates preview": "GET /templates/preview",
}
WITHOUT = {
    "targets schema": "prints a document that is the same for everybody, for whoever writes a web hook",
    "templates show": "prints a file to copy beside the owner's other files; who asks over HTTP has no folder for it",
    "apply": "reads files of the machine that the owner keeps there, with secrets from its environment",
    "rules export": "writes such a file, whose addresses stand as variables of the machine's environment",
    "rules schema": "prints a document that is the same for everybody, for editors",
}
ALONE = {
    "GET /targets/{target}": "`targets list` shows all there is of each",
    "GET /subscriptions/{subscription}": "`subscriptions list` shows all there is of each",
    "PATCH /subscriptions/{subscription}": "at the command line a block of a rules file is changed, or another added",
}
