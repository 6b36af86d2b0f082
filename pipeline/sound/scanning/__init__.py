"""Folders of a person's own sounds: listed, and read where something is new."""
