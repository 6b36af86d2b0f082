"""IGDB in small: what its language means, and the entries of the invented games. Tests and the demo share it."""
