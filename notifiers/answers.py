"""What services answered, as far as it matters. Pure."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, kw_only=True)
class HttpAnswer:
    """One answer over HTTP; `words` are the service's own, from JSON, and are not clean.

    `code` is the number of an error in the same JSON. `rest` is how long the service wants nothing more, and
    `is_for_all` says that it means every address there. `is_whole` says that all of its body came.
    """

    status: int
    words: str = ""
    code: int | None = None
    rest: timedelta | None = None
    is_for_all: bool = False
    is_whole: bool = True

    @property
    def is_good(self) -> bool:
        """Whether the service says that it did what was asked."""
        return 200 <= self.status < 300


@dataclass(frozen=True)
class MailReply:
    """One reply of a mail server; `words` are its own, and are not clean."""

    code: int
    words: str
