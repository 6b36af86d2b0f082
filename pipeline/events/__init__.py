"""The one door to the log: an event is appended with its deliveries and the marks on its feeds."""
