"""Release dates: how a game's dates differ, and the events and details that this makes."""
