"""The mirror of IGDB: full passes over its catalogue, and how far they are."""
