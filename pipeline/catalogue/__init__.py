"""What subjects share: games, organizations and channels, as records and as rows."""
