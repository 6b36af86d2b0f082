"""The tables of libraries: what is written where, and what follows from it."""
