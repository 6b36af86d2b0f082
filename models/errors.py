"""The error that all errors of ours are, and the one that a command line is to blame for."""

from collections.abc import Mapping


class LootwireError(Exception):
    """Something cannot be carried out; the text says why and what to do next, and holds no secret."""


class UsageError(LootwireError):
    """A person asked for what cannot be: a name, a number or a path that nothing has, or a value that is none.

    Asked the same way it fails again, whatever the services and the disk do. Commands exit with 2 for it.
    """


class UnknownThing(UsageError):
    """Nothing has the name or the number that a person gave, or what has it belongs to another person."""


class TakenName(UsageError):
    """Another thing of the same person has the name already."""


class WrongFields(UsageError):
    """Values that cannot be, each by its field; the text says only what is wrong, for a person who gave them in words.

    `fields` are JSON pointers (`/settings/quiet/0/begins`) with what is wrong there.
    """

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__("; ".join(fields.values()))
        self.fields = dict(fields)
