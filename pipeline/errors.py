"""Errors of sources, by what cures them: time, a person, or a new version of us."""

from datetime import timedelta

from models.errors import LootwireError


class SourceError(LootwireError):
    """A fetch did not bring a payload that can be used."""


class SourceUnavailable(SourceError):
    """Time cures it: the service is down, slow, or asks us to wait.

    `status` is the HTTP status where there was an answer, `retry_after` the wait that it asked for.
    """

    def __init__(self, message: str, *, status: int | None = None, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after


class SourceRefused(SourceError):
    """A person must act: the service refuses us (401, 403). `status` is the HTTP status where one said so."""

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class SourceChanged(SourceError):
    """The answer has a shape we do not know; `payload` is what came, to be kept and looked at."""

    def __init__(self, message: str, *, payload: bytes = b"", status: int | None = None) -> None:
        super().__init__(message)
        self.payload = payload
        self.status = status


class InvalidItem(LootwireError):
    """One item of a payload lacks what it needs; the rest of the payload still lands."""
