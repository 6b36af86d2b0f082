"""The event log as it grows: a reader that misses nothing, whatever order transactions commit in."""
