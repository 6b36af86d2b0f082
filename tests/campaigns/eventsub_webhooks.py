"""Thousands of webhooks, some twice, some forged, some stale: exactly the right events, and quick answers."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import httpx

from models import Event, EventSubMessage, StreamSession
from pipeline.channels.eventsub.secret import load_secret
from pipeline.runtime.runtime import Runtime, utc_now
from tests.campaigns.campaign import Claim, Size, Trial, at_most, exactly, figure, none_of
from tests.campaigns.own_servers import own_databases
from tests.pipeline.channels.eventsub.installation import Listening, environment_of, knows_twitch, program
from tests.plain_http import NO_CERTIFICATES
from tests.processes import free_port
from tests.twitch import LocalTwitch
from tests.waiting import wait_for

AT_ONCE = 32


@dataclass(frozen=True, kw_only=True)
class Webhooks(Size):
    """So many messages; 99 of 100 are answered within so many seconds.

    A short form is mostly the start of everything, and gives a figure of that.
    """

    messages: int
    answered_within: float | None


FULL = Webhooks(messages=10_000, answered_within=0.5)
SHORT = Webhooks(messages=1_000, answered_within=None)
Signed = tuple[dict[str, str], bytes]


class Sending(NamedTuple):
    """A message with the status that it deserves, and the stream that it announces."""

    message: Signed
    status: int
    stream_id: str


@contextmanager
def programs(runtime: Runtime) -> Iterator[str]:
    """The receiver and the program that handles what it keeps; gives the receiver's address."""
    port = free_port()
    more = {
        "LOOTWIRE_HTTP_PORT": "0",
        "LOOTWIRE_RECEIVER_PORT": str(port),
        "LOOTWIRE_EVENTSUB_CALLBACK_URL": "https://us.example/eventsub",
    }
    environment = environment_of(runtime) | more
    url = f"http://127.0.0.1:{port}"
    with program("pipeline.web", environment), program("pipeline.channels.eventsub", environment):
        wait_for(lambda: _answers(url), 300)
        yield url


def _answers(url: str) -> bool:
    try:
        return bool(httpx.get(f"{url}/health", verify=NO_CERTIFICATES).json()["eventsub"]["state"] == "ok")
    except httpx.TransportError:
        return False


def sendings(twitch: LocalTwitch, users: list[tuple[str, str]], secret: str, dice: random.Random) -> list[Sending]:
    """What is sent, in order: of each hundred 80 are real, 10 come again, 5 are forged and 5 stale.

    Half of the forged ones have the id of a real message that comes later.
    """
    real, again, forged, stale = (len(users) * share // 100 for share in (80, 10, 5, 5))
    long_ago = (datetime.now(UTC) - timedelta(minutes=11)).strftime("%Y-%m-%dT%H:%M:%S.123456789Z")

    def online(number: int, **how: str | bool) -> Signed:
        user_id, login = users[number]
        event = {
            "id": f"stream{number}",
            "broadcaster_user_id": user_id,
            "broadcaster_user_login": login,
            "broadcaster_user_name": login.title(),
            "type": "live",
            "started_at": "2026-09-01T12:00:00Z" if how.get("forged") else f"{utc_now():%Y-%m-%dT%H:%M:%S.%f}Z",
        }
        return twitch.webhook_message("stream.online", event, secret=secret, **how)  # type: ignore[arg-type]

    listed = [Sending(online(n, message_id=f"m{n}"), 204, f"stream{n}") for n in range(real)]
    dice.shuffle(listed)
    for sending in dice.sample(listed, again):
        listed.insert(dice.randrange(listed.index(sending), len(listed) + 1), sending)
    for number in range(forged):
        # Of a stream that is never really told of, or with the id of a message that is still to come.
        message_id = f"m{dice.randrange(real)}" if number % 2 else f"forged{number}"
        fake = Sending(online(real + number, message_id=message_id, forged=True), 403, "")
        first = next((at for at, sending in enumerate(listed) if _id(sending) == message_id), len(listed))
        listed.insert(dice.randrange(first + 1), fake)
    for number in range(stale):
        old = Sending(online(real + forged + number, message_id=f"stale{number}", timestamp=long_ago), 403, "")
        listed.insert(dice.randrange(len(listed) + 1), old)
    return listed


def _id(sending: Sending) -> str:
    return sending.message[0]["Twitch-Eventsub-Message-Id"]


async def send_all(url: str, listed: list[Sending]) -> list[tuple[int, float]]:
    """Send them over some connections at once; returns the statuses, and how long each answer took.

    With a client of our own: a convenient one would be busier than the receiver, and measure itself.
    """
    answers: list[tuple[int, float]] = [(0, 0.0)] * len(listed)
    waiting = iter(enumerate(listed))

    async def work() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", httpx.URL(url).port)
        for number, sending in waiting:
            began = time.monotonic()
            writer.write(_request(sending.message))
            status = await _status(reader)
            answers[number] = status, time.monotonic() - began
        writer.close()
        await writer.wait_closed()

    await asyncio.gather(*(work() for _ in range(AT_ONCE)))
    return answers


def _request(message: Signed) -> bytes:
    headers, body = message
    fields = {"Host": "us.example", "Content-Length": str(len(body)), **headers}
    lines = ["POST /eventsub HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
    return "\r\n".join(lines).encode() + body


async def _status(reader: asyncio.StreamReader) -> int:
    """Read an answer, which has no body."""
    head = await reader.readuntil(b"\r\n\r\n")
    return int(head.split(b" ", 2)[1])


def run(size: Webhooks, trial: Trial) -> Sequence[Claim]:
    """Send the messages over some connections at once, and look at the answers and at what came of them."""
    with (
        own_databases() as own,
        own.databases.new() as engine,
        LocalTwitch() as twitch,
        knows_twitch(engine, own.servers, twitch, trial.folder) as runtime,
    ):
        installation = Listening(runtime, twitch)
        # Subscribing to all of them is not what this is about.
        twitch.max_total_cost = 1
        users = [(str(1_000_000 + number), f"streamer{number}") for number in range(size.messages)]
        installation.follow_ids(users, utc_now() - timedelta(days=1))
        secret = load_secret(runtime.settings.data_dir).get_secret_value()
        listed = sendings(twitch, users, secret, trial.dice)
        with programs(runtime) as url:
            began = time.monotonic()
            answers = asyncio.run(send_all(url, listed))
            answered = time.monotonic() - began
            wait_for(lambda: installation.waiting() == 0, 300)
            handled = time.monotonic() - began
        kept = installation.count(EventSubMessage)
        kinds = Counter(row["kind"] for row in installation.rows(Event))
        sessions = {row["stream_id"] for row in installation.rows(StreamSession)}
    expected = {sending.stream_id for sending in listed if sending.status == 204}
    wrong = [
        f"{sending.status} for {_id(sending)}, was {status}"
        for sending, (status, _) in zip(listed, answers, strict=True)
        if status != sending.status
    ]
    took = sorted(seconds for _, seconds in answers)
    p99, within = took[len(took) * 99 // 100], size.answered_within
    name = "99 of 100 are answered within"
    return [
        none_of("answers with another status than deserved", wrong),
        exactly("real messages", len(expected), size.messages * 8 // 10),
        exactly("messages kept", kept, len(expected)),
        exactly("events of a beginning", kinds["stream.online"], len(expected)),
        exactly("events of any kind", kinds.total(), len(expected)),
        none_of("streams that are not as the real messages say", sorted(sessions ^ expected)),
        figure(name, p99, "s") if within is None else at_most(name, p99, within, "s"),
        figure("the median of answers", took[len(took) // 2], "s"),
        figure("all answered in", answered, "s"),
        figure("all handled in", handled, "s"),
    ]
