"""What each shop or service offers whose libraries are synced: who an account is, what it has, how that is read."""

from typing import Protocol

import msgspec

from pipeline.fetch.http import Client
from pipeline.library.records import Reading


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """An account at a service, and how many games it has there; `external_id` is what it is asked for by."""

    external_id: str
    name: str | None
    games: int


class Shop(Protocol):
    """A shop or a service that says what an account has to whoever has a key of it."""

    @property
    def source(self) -> str:
        """The name of its source: `steam.library`."""

    @property
    def service(self) -> str:
        """Its name in rows: `steam`."""

    @property
    def title(self) -> str:
        """Its name as people write it: `Steam`."""

    @property
    def key_page(self) -> str:
        """The address at which a person finds the key."""

    @property
    def account_hint(self) -> str:
        """How a person may write an account."""

    def read_key(self, written: str) -> str:
        """Return a key as a person wrote it; raises `UsageError`, which does not repeat it, where it can be none."""

    def member(self, client: Client, key: str, written: str) -> Member:
        """Return the account that a person wrote; raises `SourceError`, `UsageError` where there is none such."""

    def ask(self, client: Client, key: str, external_id: str) -> bytes:
        """Return what an account has, as JSON; raises `SourceError`."""

    def read(self, body: bytes) -> Reading:
        """Read that; raises `SourceChanged`."""
