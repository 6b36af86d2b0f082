"""Looking at folders: what came, went, moved or changed, read once, and what that makes of the collection."""
