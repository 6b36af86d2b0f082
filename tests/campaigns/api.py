"""The HTTP API against whatever a client sends: no failure, and no answer that its document does not promise.

schemathesis makes requests of the document, good ones and broken ones, each operation for itself and one after the
other, with a key of each role. It has all its checks; where one only knows some statuses as a refusal, ours are added.
What is asked is the real server, with a database that has something of everybody.
"""

import json
import logging
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr
from sqlalchemy import insert

from models import Person
from models.people import OWNER_ID
from notifiers.targets import add_target
from pipeline.database.connecting import migrate
from pipeline.people.records import ROLES, SCOPES_OF, Role
from pipeline.people.store.keys import add_key
from pipeline.runtime.runtime import Runtime, utc_now
from pipeline.runtime.settings import Settings
from pipeline.web.api.address import PREFIX
from pipeline.web.api.application import Entry
from pipeline.web.api.routes.all_routes import OPERATIONS
from pipeline.web.application import Application, Below
from tests.campaigns.campaign import Claim, Size, Trial, at_least, none_of
from tests.campaigns.own_servers import own_servers
from tests.pipeline.web.serving import answering
from tests.waiting import folder_of_processes

# Of what is shown of a failure.
LONGEST = 600
# The statuses by which we refuse what somebody asks for.
REFUSED = ["400", "401", "402", "403", "404", "405", "406", "409", "412", "413", "415", "422", "428"]
# That no worker runs here is what /health says, by 503.
NO_WORKER = ("ST101", ["GET /health"])
CONFIG = f"""
[checks.negative_data_rejection]
expected-statuses = {json.dumps(REFUSED)}
[checks.positive_data_acceptance]
expected-statuses = {json.dumps(["2xx", "304", *REFUSED, "502", "503"])}
[checks.missing_required_header]
expected-statuses = ["401", "403", "404", "422", "428"]
"""


@dataclass(frozen=True, kw_only=True)
class Asking(Size):
    """How many cases each operation gets with each role, in which phases of schemathesis, and within which time.

    `seconds` are those of a role, if there is a bound: what is left of the cases then is not tried.
    """

    cases: int
    seconds: int | None = None
    phases: tuple[str, ...]
    roles: tuple[Role, ...]


FULL = Asking(cases=1_000, phases=("examples", "coverage", "fuzzing", "stateful"), roles=ROLES)
SHORT = Asking(cases=50, seconds=50, phases=("fuzzing", "stateful"), roles=("owner",), shortens=("one role of three",))


def run(size: Asking, trial: Trial) -> Sequence[Claim]:
    """Ask with each role."""
    claims: list[Claim] = []
    with served() as (address, keys, failures):
        for role in size.roles:
            report = _asked(address, keys[role], size, trial, role)
            trial.say(f"{role}: {report.cases} cases")
            claims += [
                at_least(f"cases as {role}", report.cases, _fewest(size)),
                none_of(f"answers as {role} that the document does not promise", report.wrong),
            ]
    return [*claims, none_of("failures in the log", failures)]


def _fewest(size: Asking) -> int:
    """Return how many cases there have to be: simple operations have fewer that differ."""
    return len(OPERATIONS) * (size.cases // 2 if size.seconds is None else 1)


@contextmanager
def served() -> Iterator[tuple[str, Mapping[Role, str], Sequence[str]]]:
    """Serve the API on servers of its own; give its address, a key of each role, and what fails meanwhile."""
    kept = _Failures()
    with folder_of_processes() as folder, own_servers(folder / "servers") as servers:
        settings = Settings(
            data_dir=folder / "data",
            database_url=SecretStr(servers.database_url),
            redis_url=SecretStr(servers.redis_url),
            api_requests_per_minute=1_000_000,
            api_burst=100_000,
        )
        runtime = Runtime(settings=settings, database_url=servers.database_url, redis_url=servers.redis_url)
        migrate(runtime.engine)
        keys = {role: _key(runtime, role) for role in ROLES}

        @asynccontextmanager
        async def opened() -> AsyncIterator[Application]:
            yield Application([Below(PREFIX, Entry(runtime))])

        logging.getLogger("pipeline.web.api.door").addHandler(kept)
        try:
            with answering(opened) as address:
                yield f"{address}{PREFIX}", keys, kept.messages
        finally:
            logging.getLogger("pipeline.web.api.door").removeHandler(kept)
            runtime.reading_engine.dispose()
            runtime.engine.dispose()


@dataclass(frozen=True)
class Report:
    """What schemathesis says: how many cases there were, and what was wrong."""

    cases: int
    wrong: Sequence[str]


class _Failures(logging.Handler):
    """Keeps what failed in the server."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        self.messages.append(f"{record.getMessage()}: {type(error).__name__}: {error}")


def _key(runtime: Runtime, role: Role) -> str:
    """Return a key of a person of a role, who has a target."""
    now = utc_now()
    with runtime.engine.begin() as connection:
        person_id = OWNER_ID
        if role != "owner":
            row = {"name": role, "role": role, "created_at": now}
            person_id = connection.execute(insert(Person).values(row).returning(Person.id)).scalar_one()
        if role == "owner":
            add_target(connection, runtime.vault, "mail", "json://hooks.example.org/x", now)
        return add_key(connection, person_id, "campaign", SCOPES_OF[role], now).key


def _asked(address: str, key: str, size: Asking, trial: Trial, role: Role) -> Report:
    config, report = trial.folder / "schemathesis.toml", trial.folder / f"{role}.json"
    config.write_text(CONFIG)
    command: list[str] = [
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "run", f"{address}/openapi.json"),
        *("--url", address, "--checks", "all", "--phases", ",".join(size.phases), "--continue-on-failure"),
        *("--max-examples", str(size.cases), "--seed", str(trial.seed), "--header", f"Authorization: Bearer {key}"),
        *("--suppress-health-check", "all", "--generation-database", "none", "--no-color", "--output-sanitize", "true"),
        *(("--max-time", str(size.seconds)) if size.seconds else ()),
        *("--report", "json", "--report-json-path", str(report)),
    ]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=trial.folder)
    (trial.folder / f"{role}.txt").write_text(done.stdout + done.stderr)
    if not report.exists():
        raise RuntimeError(f"schemathesis wrote no report: {done.stdout[-1000:]} {done.stderr[-1000:]}")
    seen = json.loads(report.read_text())
    return Report(seen["test_cases"]["generated"], [json.dumps(each)[:LONGEST] for each in _wrong(seen)])


def _wrong(seen: Mapping[str, Any]) -> Iterator[Any]:
    yield from (each for each in seen["failures"] if (each["code"], each["operations"]) != NO_WORKER)
    yield from seen["errors"]
    if not seen["complete"] and seen["stop_reason"] != "max_time":
        yield seen["stop_reason"]
