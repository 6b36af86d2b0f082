"""Which Twitch channels are watched: followed by name, by list, or because a campaign allows them."""
