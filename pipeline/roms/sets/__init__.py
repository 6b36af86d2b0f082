"""Join files to sets: what a front end opens as one release of a game. Pure."""

from pipeline.roms.sets.making import make_sets

__all__ = ["make_sets"]
