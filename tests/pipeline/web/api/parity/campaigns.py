"""Campaigns, rewards, badges and organizations."""

ROUTES = {
    "campaigns list": "GET /campaigns",
    "campaigns show": "GET /campaigns/{campaign}",
    "rewards list": "GET /rewards",
    "rewards show": "GET /rewards/{reward}",
    "badges list": "GET /badges",
    "badges show": "GET /badges/{badge}",
    "organizations list": "GET /organizations",
    "organizations show": "GET /organizations/{organization}",
}
ALONE = {"GET /campaigns/{campaign}/channels": "a campaign may name thousands, of which the command shows the first"}
