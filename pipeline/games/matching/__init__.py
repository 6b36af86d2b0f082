"""Decide which game of IGDB a name means. Pure, but for the query of candidates."""
