"""The error that all errors of ours are."""


class LootwireError(Exception):
    """Something cannot be carried out; the text says why and what to do next, and holds no secret."""
