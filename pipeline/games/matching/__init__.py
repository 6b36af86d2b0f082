"""Decide which game of IGDB a title means: sure, unsure or none, with the reasons."""
