"""What a format is: a name, words for people, whether a file is one of it, and how that is read. Pure."""

from typing import NoReturn, Protocol

from models.errors import UsageError
from pipeline.library.formats.look import Look
from pipeline.library.records import Reading, ReadOptions


class Format(Protocol):
    """A kind of file that says what somebody owns or plays."""

    @property
    def name(self) -> str:
        """What `--as` calls it: `grouvee`."""
        ...

    @property
    def taken_for(self) -> str:
        """What a person calls it: "a Grouvee export"."""
        ...

    def recognises(self, look: Look) -> bool:
        """Whether a file is of this format, by its content."""
        ...

    def read(self, look: Look, options: ReadOptions, /) -> Reading:
        """Return what it says; raises `UsageError` where it lacks what makes it one."""
        ...


def refuse(look: Look, taken_for: str, lacks: str) -> NoReturn:
    """Raise the error of a file that lacks what makes it one of a format."""
    raise UsageError(f"{look.name} was taken for {taken_for}, and {lacks}")
