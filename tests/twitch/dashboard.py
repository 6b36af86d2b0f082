"""The drops dashboard of the local Twitch: signs people in by device code, and answers persisted queries of GraphQL.

It keeps to what is known of the real one: 400 with `message` while a code waits, refresh tokens that are spent by use,
200 with `errors` for nearly everything else, and 401 for a token that it does not know.
"""

import itertools
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from starlette.datastructures import Headers

from pipeline.services.twitch.graphql import Session

Json = dict[str, Any]
CLIENT_ID = "appforterminals0000"
VIEWER = {"id": "424242", "login": "lamplighter"}
DASHBOARD, DETAILS, INVENTORY = "ViewerDropsDashboard", "DropCampaignDetails", "Inventory"
HASHES = {DASHBOARD: "d" * 64, DETAILS: "e" * 64, INVENTORY: "f" * 64}
ENTRY_FIELDS = ("id", "name", "owner", "game", "status", "startAt", "endAt", "detailsURL", "accountLinkURL")


@dataclass
class Question:
    """One operation of a request."""

    operation: str
    variables: Json
    sha: str


@dataclass
class Raw:
    """An answer that the dashboard gives as it is, whatever the request."""

    body: bytes
    status: int = 200
    content_type: str = "application/json"


@dataclass
class Grant:
    """A sign-in: its tokens, and whether they still hold."""

    access_token: str
    refresh_token: str | None
    client_id: str = CLIENT_ID
    expires_in: int = 14_000
    alive: bool = True


Spoil = Callable[[Question, Json], Json]


def fault(message: str, *path: str | int, operation: str = DASHBOARD) -> Json:
    """An answer without data that says what failed."""
    error = {"message": message} | ({"path": list(path)} if path else {})
    return {"errors": [error], "extensions": {"durationMilliseconds": 1, "operationName": operation}}


@dataclass
class Dashboard:
    """The dashboard's state, as `LocalTwitch.dashboard`. `spoil` may change any answer to a question on its way out."""

    campaigns: dict[str, Json] = field(default_factory=dict)
    rewards: list[Json] | None = field(default_factory=list)
    # What the account has: minutes by the drops' ids, the claimed ones, benefits with the time of their award, and the
    # campaigns with whose games its account is linked.
    watched: dict[str, int] = field(default_factory=dict)
    claimed: set[str] = field(default_factory=set)
    awarded: dict[str, str] = field(default_factory=dict)
    linked: set[str] = field(default_factory=set)
    hashes: dict[str, str] = field(default_factory=lambda: dict(HASHES))
    spoil: Spoil | None = None
    # Answers to whole requests to GraphQL, used up one by one before any question is looked at; None is a sound one.
    instead: list[Raw | None] = field(default_factory=list)
    # What /token says to a device code, one after the other, before it gives tokens.
    token_says: list[str] = field(default_factory=list)
    validate_status: int | None = None
    token_status: int | None = None
    # Called while a refresh token is being judged.
    on_refresh: Callable[[], object] | None = None
    interval: int = 0
    expires_in: int = 1800
    gives_refresh_tokens: bool = True
    grants: list[Grant] = field(default_factory=list)
    requests: list[list[Question]] = field(default_factory=list)
    headers: list[Headers] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    # The permissions that /device was asked for.
    scopes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._numbers = itertools.count(1)
        self._codes: set[str] = set()
        # Where it is, once the local Twitch has a port.
        self.auth_url = self.gql_url = ""

    def is_client(self, client_id: str) -> bool:
        """Whether this is the application that signs people in, or another one of theirs."""
        return client_id == CLIENT_ID or any(grant.client_id == client_id for grant in self.grants)

    def has_given(self, authorization: str) -> bool:
        """Whether a token is one of a person's, alive or not."""
        return any(grant.access_token == authorization.removeprefix("OAuth ") for grant in self.grants)

    def answer(self, path: str, headers: Headers, body: bytes) -> Raw:
        """The answer to a request; may be called from several threads at once."""
        self.paths.append(path)
        match path:
            case "/oauth2/device":
                return self._device(body)
            case "/oauth2/token":
                return self._token(body)
            case "/oauth2/validate":
                return self._validate(headers)
            case _:
                return self._gql(headers, body)

    def grant(self, **values: Any) -> Grant:
        """Sign a person in without a device code."""
        number = next(self._numbers)
        refresh = f"spendable-refresh-{number}" if self.gives_refresh_tokens else None
        granted = Grant(**{"access_token": f"very-secret-access-{number}", "refresh_token": refresh} | values)
        self.grants.append(granted)
        return granted

    def session(self, **values: Any) -> Session:
        """Return a fresh sign-in as a fetch presents it."""
        token = self.grant(**values).access_token
        return Session(token=token, client_id=CLIENT_ID, device_id="device", session_id="session")

    def list_campaigns(self, *campaigns: Json) -> None:
        """Offer these campaigns, and no others, from now on."""
        self.campaigns = {campaign["id"]: campaign for campaign in campaigns}

    def asked_details(self) -> list[list[str]]:
        """The campaigns that each request for details was about."""
        return [
            [question.variables["dropID"] for question in request]
            for request in self.requests
            if request[0].operation == DETAILS
        ]

    def secrets(self) -> list[str]:
        """Everything that must be seen nowhere."""
        return [token for grant in self.grants for token in (grant.access_token, grant.refresh_token) if token]

    def _device(self, body: bytes) -> Raw:
        form = parse_qs(body.decode(), keep_blank_values=True)
        if form.get("client_id") != [CLIENT_ID]:
            return _json({"status": 400, "message": "invalid client"}, 400)
        if "scopes" not in form:
            return _json({"status": 400, "message": "missing scopes"}, 400)
        self.scopes += form["scopes"]
        code = f"device-code-{next(self._numbers)}"
        self._codes.add(code)
        return _json(
            {
                "device_code": code,
                "expires_in": self.expires_in,
                "interval": self.interval,
                "user_code": "WXYZQRST",
                "verification_uri": "https://www.twitch.tv/activate?device-code=WXYZQRST",
            }
        )

    def _token(self, body: bytes) -> Raw:
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        if self.token_status is not None:
            return Raw(b"", self.token_status)
        if form["grant_type"] == "refresh_token":
            return self._refresh(form)
        if form["device_code"] not in self._codes:
            return _json({"status": 400, "message": "invalid device code"}, 400)
        if self.token_says:
            message = self.token_says.pop(0)
            return Raw(b"", 503) if message == "503" else _json({"status": 400, "message": message}, 400)
        self._codes.discard(form["device_code"])
        return _json(_tokens(self.grant()))

    def _refresh(self, form: dict[str, str]) -> Raw:
        if self.on_refresh is not None:
            self.on_refresh()
        for grant in self.grants:
            if grant.refresh_token == form["refresh_token"] and grant.client_id == form["client_id"]:
                grant.refresh_token = None
                grant.alive = False
                return _json(_tokens(self.grant()))
        return _json({"error": "Bad Request", "status": 400, "message": "Invalid refresh token"}, 400)

    def _granted(self, headers: Headers) -> Grant | None:
        shown = headers.get("Authorization", "").removeprefix("OAuth ")
        return next((grant for grant in self.grants if grant.alive and grant.access_token == shown), None)

    def _validate(self, headers: Headers) -> Raw:
        if self.validate_status is not None:
            return Raw(b"", self.validate_status)
        grant = self._granted(headers)
        if grant is None:
            return _json({"status": 401, "message": "invalid access token"}, 401)
        validated = {"client_id": grant.client_id, "login": VIEWER["login"], "scopes": None, "user_id": VIEWER["id"]}
        return _json(validated | {"expires_in": grant.expires_in})

    def _gql(self, headers: Headers, body: bytes) -> Raw:
        document = json.loads(body)
        questions = [_question(operation) for operation in (document if isinstance(document, list) else [document])]
        self.requests.append(questions)
        self.headers.append(headers)
        if self.instead and (instead := self.instead.pop(0)) is not None:
            return instead
        grant = self._granted(headers)
        if grant is None or headers["Client-Id"] != grant.client_id:
            refusal = {"error": "Unauthorized", "status": 401, "message": 'The "Authorization" token is invalid.'}
            return _json(refusal, 401)
        answers = [self._answer(question) for question in questions]
        return _json(answers if isinstance(document, list) else answers[0])

    def _answer(self, question: Question) -> Json:
        if self.hashes[question.operation] != question.sha:
            return fault("PersistedQueryNotFound", operation=question.operation)
        answers = {DASHBOARD: lambda _: self._dashboard(), DETAILS: self._details, INVENTORY: self._inventory}
        data = answers[question.operation](question.variables)
        answer = {"data": data, "extensions": {"durationMilliseconds": 7, "operationName": question.operation}}
        return self.spoil(question, json.loads(json.dumps(answer))) if self.spoil else answer

    def _dashboard(self) -> Json:
        entries = [_entry(campaign, campaign["id"] in self.linked) for campaign in self.campaigns.values()]
        viewer = VIEWER | {"dropCampaigns": entries, "__typename": "User"}
        return {"currentUser": viewer, "rewardCampaignsAvailableToUser": self.rewards}

    def _details(self, variables: Json) -> Json:
        if variables["channelLogin"] != VIEWER["id"]:
            return {"user": None}
        return {"user": {"id": VIEWER["id"], "dropCampaign": self.campaigns.get(variables["dropID"])}}

    def _inventory(self, variables: Json) -> Json:
        assert variables == {"fetchRewardCampaigns": False}
        begun = [c for c in self.campaigns.values() if any(drop["id"] in self.watched for drop in c["timeBasedDrops"])]
        awarded = [{"id": key, "lastAwardedAt": at, "__typename": "UserDropReward"} for key, at in self.awarded.items()]
        # Where there is nothing, Twitch says null.
        inventory = {
            "dropCampaignsInProgress": [*map(self._in_progress, begun)] or None,
            "gameEventDrops": awarded or None,
        }
        return {"currentUser": {"id": VIEWER["id"], "inventory": inventory, "__typename": "User"}}

    def _in_progress(self, campaign: Json) -> Json:
        drops = [
            drop
            | {
                "self": {
                    "hasPreconditionsMet": True,
                    "currentMinutesWatched": self.watched.get(drop["id"], 0),
                    "isClaimed": drop["id"] in self.claimed,
                    "dropInstanceID": None,
                }
            }
            for drop in campaign["timeBasedDrops"]
        ]
        return _entry(campaign, campaign["id"] in self.linked) | {"timeBasedDrops": drops}


def answers(*bodies: Json | Sequence[Json]) -> list[Raw | None]:
    """Whole answers for `instead`."""
    return [_json(body) for body in bodies]


def _entry(campaign: Json, is_linked: bool) -> Json:
    entry = {name: campaign[name] for name in ENTRY_FIELDS if name in campaign}
    if entry.get("game"):
        entry["game"] = entry["game"] | {"boxArtURL": f"https://art.example.org/{entry['game']['id']}.jpg"}
    return entry | {"self": {"isAccountConnected": is_linked}, "__typename": "DropCampaign"}


def _question(operation: Json) -> Question:
    assert operation["extensions"]["persistedQuery"]["version"] == 1
    return Question(
        operation["operationName"], operation["variables"], operation["extensions"]["persistedQuery"]["sha256Hash"]
    )


def _tokens(grant: Grant) -> Json:
    tokens = {"access_token": grant.access_token, "expires_in": grant.expires_in, "scope": [], "token_type": "bearer"}
    return tokens | ({"refresh_token": grant.refresh_token} if grant.refresh_token else {})


def _json(value: Any, status: int = 200) -> Raw:
    return Raw(json.dumps(value).encode(), status)
