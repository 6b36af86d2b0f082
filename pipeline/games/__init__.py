"""IGDB's catalogue of games, and the dates on which they are released."""
