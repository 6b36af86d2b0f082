"""Fetch from a source and read its answers."""

from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from pipeline.drops.records import CampaignRecord
from pipeline.errors import SourceError
from pipeline.fetch.http import Client
from pipeline.ingest.source import Answer, ListSource, Snapshot, Validators
from pipeline.services.twitch.graphql import Session
from pipeline.services.twitch.graphql_answers import SignedOut
from tests.twitch.dashboard import HASHES

DAY = 24 * 3600


@dataclass
class FixedAccount:
    """An account with a number of sessions: each is used until Twitch refuses it."""

    sessions: list[Session] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def session(self, client: Client) -> Session:  # noqa: ARG002 - a real one may need it
        if not self.sessions:
            raise SignedOut("signed out; `lootwire sources login twitch`")
        return self.sessions[0]

    def renew(self, client: Client, refused: Session) -> Session:
        self.refused.append(refused.token)
        self.sessions.pop(0)
        return self.session(client)


def hashes(**others: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    return {operation: (sha,) for operation, sha in HASHES.items()} | others


def fetch(source: ListSource, before: Answer | None = None) -> Answer:
    """Fetch with the cursor of the answer before, passed through JSON as the database does."""
    validators = before.validators if before else Validators()
    stored = msgspec.json.decode(msgspec.json.encode(validators.cursor))
    with Client(attempts=1) as client:
        return source.fetch(client, msgspec.structs.replace(validators, cursor=stored))


def failure(source: ListSource) -> SourceError:
    with pytest.raises(SourceError) as caught:
        fetch(source)
    return caught.value


def snapshot(source: ListSource, answer: Answer) -> Snapshot:
    return source.split(answer.payload or b"")


def records(source: ListSource, answer: Answer) -> dict[str, CampaignRecord]:
    parsed = [source.parse(item) for item in snapshot(source, answer).items]
    return {record.external_id: record for record in parsed if isinstance(record, CampaignRecord)}


def older(answer: Answer, seconds: int, *keys: str) -> Answer:
    """Return the answer as if its details had been fetched so many seconds earlier."""
    cursor: Any = msgspec.json.decode(msgspec.json.encode(answer.validators.cursor))
    for key in keys or cursor["asked"]:
        cursor["asked"][key][2] -= seconds
    return msgspec.structs.replace(answer, validators=msgspec.structs.replace(answer.validators, cursor=cursor))
