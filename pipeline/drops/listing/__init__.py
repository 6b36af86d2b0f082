"""What commands and the API read of campaigns, rewards, badges and organizations."""
