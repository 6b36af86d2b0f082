"""Ask Twitch's GraphQL: persisted queries, one at a time or twenty in one request, in a user's name.

`https://gql.twitch.tv/gql`, headers Client-Id, Authorization, X-Device-Id, Client-Session-Id.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from pipeline.errors import SourceChanged, SourceRefused
from pipeline.fetch.http import Client
from pipeline.services.twitch.graphql_answers import (
    DASHBOARD,
    DETAILS,
    INVENTORY,
    QUERY_UNKNOWN,
    WAY_OUT,
    DropsAnswer,
    is_unknown_query,
    read_answer,
    split_answers,
)

SETTINGS = {
    DASHBOARD: "LOOTWIRE_TWITCH_DASHBOARD_HASHES",
    DETAILS: "LOOTWIRE_TWITCH_DETAILS_HASHES",
    INVENTORY: "LOOTWIRE_TWITCH_INVENTORY_HASHES",
}


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """The credentials that a fetch shows. Its repr does not show the token."""

    token: str
    client_id: str
    device_id: str
    session_id: str

    def __repr__(self) -> str:
        return f"Session(client_id={self.client_id!r})"

    def headers(self) -> dict[str, str]:
        """Return the headers that identify a request; Twitch wants the application that the token was made for."""
        return {
            "Authorization": f"OAuth {self.token}",
            "Client-Id": self.client_id,
            "X-Device-Id": self.device_id,
            "Client-Session-Id": self.session_id,
        }


class Account(Protocol):
    """The account that the dashboard is read with."""

    def session(self, client: Client) -> Session:
        """Return the session to ask with; raises `SignedOut`."""

    def renew(self, client: Client, refused: Session) -> Session:
        """Return another session after Twitch refused this one; raises `SignedOut` where there is none to be had."""


class Conversation:
    """One fetch's talk with Twitch. `known` holds, by operation, the query hash that worked last."""

    def __init__(
        self,
        client: Client,
        url: str,
        account: Account,
        queries: Mapping[str, Sequence[str]],
        known: Mapping[str, str],
    ) -> None:
        self.known = dict(known)
        self._client = client
        self._url = url
        self._account = account
        self._queries = queries
        self._session = account.session(client)

    def ask(self, operation: str, variables: Sequence[Mapping[str, Any]]) -> list[msgspec.Raw]:
        """Return one answer for each set of variables, asked in one request.

        A hash that Twitch does not know is followed by the configured alternatives. When none is known, the query
        changed or an outage says so: `SourceChanged`, and the next fetch tries them all again.
        """
        hashes = sorted(self._queries[operation], key=lambda sha: sha != self.known.get(operation))
        for sha in hashes:
            payload = self._post([_query(operation, sha, values) for values in variables])
            answers = split_answers(payload)
            if any(is_unknown_query(answer) for answer in answers):
                continue
            if len(answers) != len(variables):
                problem = f"{operation}: {len(answers)} answers for {len(variables)} questions"
                raise SourceChanged(problem, payload=payload)
            self.known[operation] = sha
            return answers
        raise SourceChanged(
            f"Twitch knows none of our {len(hashes)} hashes of its query {operation} ({QUERY_UNKNOWN}): there is a new "
            f"one, or an outage says so. What is known stays; {SETTINGS[operation]} takes a new hash",
            payload=payload,
        )

    def read(self, answer: msgspec.Raw, reader: Callable[[msgspec.Raw], DropsAnswer] = read_answer) -> DropsAnswer:
        """Return the campaigns of an answer; raises `SourceError`, a refusal with what a person can do about it."""
        try:
            return reader(answer)
        except SourceRefused as error:
            raise _advised(error) from error

    def _post(self, questions: list[dict[str, Any]]) -> bytes:
        body = msgspec.json.encode(questions[0] if len(questions) == 1 else questions)
        try:
            return self._post_as(self._session, body)
        except SourceRefused as error:
            if error.status != 401:
                raise _advised(error) from error
        self._session = self._account.renew(self._client, self._session)
        try:
            return self._post_as(self._session, body)
        except SourceRefused as error:
            raise _advised(error) from error

    def _post_as(self, session: Session, body: bytes) -> bytes:
        return self._client.post(self._url, body, content_type="application/json", headers=session.headers()).body


def _advised(error: SourceRefused) -> SourceRefused:
    """Return a refusal with what a person can do about it."""
    application = "LOOTWIRE_TWITCH_DEVICE_CLIENT_ID must name another application first"
    advice = f"Sign in again: {WAY_OUT}; if that does not help, {application}"
    return SourceRefused(f"{error}. {advice}", status=error.status)


def _query(operation: str, sha: str, variables: Mapping[str, Any]) -> dict[str, Any]:
    extensions = {"persistedQuery": {"version": 1, "sha256Hash": sha}}
    return {"operationName": operation, "variables": dict(variables), "extensions": extensions}
