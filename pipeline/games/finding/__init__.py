"""Find the game that a person means by a name or an address."""
