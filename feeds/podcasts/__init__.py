"""Podcasts: the feeds of shows, of playlists and of all sounds, with the files that they lead to.

Unlike other feeds they are made from rows as they are now: `marking` says that they changed, `standing` keeps a feed
for each show and playlist, `rows` loads them, `publishing` writes them; the others are pure.
"""
