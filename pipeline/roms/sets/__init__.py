"""Join files to sets: what a front end opens as one release of a game. Pure."""

from pipeline.roms.sets.making import make_sets
from pipeline.roms.sets.scopes import directories_with, directory_of

__all__ = ["directories_with", "directory_of", "make_sets"]
