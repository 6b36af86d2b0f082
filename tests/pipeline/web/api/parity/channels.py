"""Channels: what is followed, what is on, what was recorded, and figures over it."""

ROUTES = {
    "channels list": ("GET /channels", "GET /categories", "GET /campaign-channels"),
    "channels add": "POST /channels",
    "channels import": "POST /channel-lists",
    "channels remove": ("DELETE /channels/{channel}", "DELETE /categories/{category}", "DELETE /campaign-channels"),
    "channels status": "GET /channels/{channel}/status",
    "channels stats": "GET /channels/{channel}/stats",
    "channels sessions": "GET /channels/{channel}/sessions",
    "channels snapshots": "GET /channels/{channel}/snapshots",
    "channels live": "GET /streams/live",
    "channels summary": "GET /analytics/summary",
    "channels top": "GET /analytics/top",
    "channels coverage": "GET /analytics/coverage",
    "channels videos": "GET /videos",
}
