"""What IGDB knows of games, and when they are released."""
