"""Rows of sounds, of what fetches them, of their hosts and of the shows that want them."""
