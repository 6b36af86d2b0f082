"""The demo's programs that ask over HTTP: one with a key of the owner's, one of another person."""

from typing import Any

import httpx
import msgspec

from models.people import OWNER_ID
from pipeline.catalogue.people import person_named
from pipeline.people.store.keys import add_key
from pipeline.people.store.people import add_person
from pipeline.programs.ports import HOST
from pipeline.runtime.runtime import Runtime, utc_now

PERSON = "ada"
# The first request opens the API; on a slow machine that takes a while.
PATIENCE = 120.0


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What the programs were answered: running campaigns, the newest event, and how many targets each person has."""

    campaigns: int
    newest: str
    targets: int
    targets_of_other: int


def ask(runtime: Runtime) -> Asked:
    """Make keys for two people and ask as a program of each would."""
    now = utc_now()
    with runtime.engine.begin() as connection:
        add_person(connection, PERSON, "member", now)
        person_id = person_named(connection, PERSON)
        own = add_key(connection, OWNER_ID, "a script", {"read", "events", "targets"}, now).key
        other = add_key(connection, person_id, "a phone", {"targets"}, now).key
    with _client(runtime, own) as client, _client(runtime, other) as stranger:
        campaigns = _get(client, "campaigns", state="running", limit=500)
        events = _get(client, "events", limit=1)
        targets, others = _get(client, "targets"), _get(stranger, "targets")
    return Asked(
        campaigns=len(campaigns),
        newest=str(events[0]["title"]) if events else "nothing",
        targets=len(targets),
        targets_of_other=len(others),
    )


def _client(runtime: Runtime, key: str) -> httpx.Client:
    return httpx.Client(
        base_url=f"http://{HOST}:{runtime.settings.http_port}/api/v1/",
        headers={"Authorization": f"Bearer {key}"},
        timeout=PATIENCE,
        # The variables of a proxy are not meant for this machine.
        trust_env=False,
    )


def _get(client: httpx.Client, path: str, **query: str | int) -> list[dict[str, Any]]:
    answer = client.get(path, params=query)
    answer.raise_for_status()
    items: list[dict[str, Any]] = answer.json()["items"]
    return items
