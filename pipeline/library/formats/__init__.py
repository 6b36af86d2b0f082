"""Formats of files that hold a library: each recognises its own by content, and reads it into records. Pure."""
