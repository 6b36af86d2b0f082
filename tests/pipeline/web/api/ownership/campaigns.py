"""Campaigns, rewards, badges and organizations."""

_FACTS = "services publish it for everybody"
PUBLIC = {
    "campaigns.show_campaign": _FACTS,
    "campaigns.list_channels": _FACTS,
    "rewards.show_reward": _FACTS,
    "badges.show_badge": _FACTS,
    "organizations.show_organization": _FACTS,
}
