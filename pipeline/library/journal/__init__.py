"""What a person writes of their games by hand: states, entries and playthroughs, each in one transaction."""
