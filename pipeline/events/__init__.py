"""The one door to the log: an event is appended with its deliveries and a note for its feeds."""
