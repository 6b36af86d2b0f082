"""Sounds: what is fetched or lies in folders, evenly loud, in shows and playlists."""
