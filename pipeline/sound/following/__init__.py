"""Find what shows want: videos of their channels, what their addresses list, and clips."""
