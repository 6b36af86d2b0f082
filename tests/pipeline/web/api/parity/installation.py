"""How the installation stands: its sources, what was set aside, its settings, and EventSub."""

ROUTES = {
    "sources list": ("GET /sources", "GET /sources/{source}", "POST /sources/{source}/ask"),
    "quarantine": ("GET /quarantine", "GET /quarantine/{payload}"),
    "status": "GET /status",
    "doctor": "GET /admin/settings",
    "eventsub": "GET /admin/eventsub",
    "eventsub status": "GET /admin/eventsub",
    "eventsub subscriptions": "GET /admin/eventsub/subscriptions",
    "eventsub messages": "GET /admin/eventsub/messages",
    "eventsub verify": "POST /admin/eventsub/verify",
    "eventsub remove": (
        "DELETE /admin/eventsub/subscriptions",
        "DELETE /admin/eventsub/subscriptions/{subscription}",
    ),
}
WITHOUT = {
    "sources login": "signing in needs a browser, or a key that only the operator should type",
    "sources logout": "it belongs to the sign-in, which has no route",
}
ALONE = {"GET /health": "monitors ask it; the command is `lootwire status`, and the receiver's port answers it too"}
