"""The account that a person signed in to Twitch with: kept encrypted, renewed where possible, marked when dead."""

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Engine

from models.due import is_due
from models.vault import Vault, VaultError
from pipeline.errors import SourceUnavailable
from pipeline.fetch.http import Client
from pipeline.fetch.shapes import clean
from pipeline.services.twitch import credentials
from pipeline.services.twitch.credentials import StoredCredential
from pipeline.services.twitch.graphql import Session
from pipeline.services.twitch.graphql_answers import WAY_OUT, SignedOut
from pipeline.services.twitch.sign_in import Tokens, TwitchAuth, Viewer

SERVICE = "twitch"
REFRESH_BEFORE_END = timedelta(minutes=10)
# Twitch wants it hourly; the tick comes every ten minutes.
VALIDATE_AFTER = timedelta(minutes=50)


class StoredAccount:
    """The account that a person signed in with: its tokens come from the database, and are renewed there."""

    def __init__(
        self, engine: Engine, open_vault: Callable[[], Vault], auth_url: str, now: Callable[[], datetime]
    ) -> None:
        self._engine = engine
        self._open_vault = open_vault
        self._auth_url = auth_url
        self._now = now

    def session(self, client: Client) -> Session:
        """Return the session to ask with, renewed where its end is near; raises `SignedOut`."""
        credential = self._load()
        tokens = self._open(credential)
        left = credential.expires_at - self._now() if credential.expires_at else None
        if left is not None and left < REFRESH_BEFORE_END and tokens.refresh_token:
            try:
                return self._renewed(client, credential, "it ran out")
            except SourceUnavailable:
                if left <= timedelta(0):
                    raise
        return _session(credential, tokens)

    def renew(self, client: Client, refused: Session) -> Session:
        """Return another session after Twitch refused this one; raises `SignedOut`, and marks the sign-in as dead."""
        credential = self._load()
        session = _session(credential, self._open(credential))
        if session.token != refused.token:
            return session
        return self._renewed(client, credential, "it does not accept the token any more")

    def validate_if_due(self, client: Client) -> bool | None:
        """Ask Twitch whether the sign-in still holds, if the last check was an hour ago; None where no check is due."""
        try:
            credential = self._load()
        except SignedOut:
            return None
        now = self._now()
        if not is_due(credential.validated_at + VALIDATE_AFTER, now, VALIDATE_AFTER):
            return None
        viewer = self._auth(client, credential).validate(self._open(credential).access_token)
        if viewer is None:
            try:
                self._renewed(client, credential, "its hourly check says so")
            except SignedOut:
                return False
            return True
        with self._engine.begin() as connection:
            credentials.record_validated(connection, credential, at=now, expires_at=_end(now, viewer.expires_in))
        return True

    def _load(self) -> StoredCredential:
        with self._engine.connect() as connection:
            credential = credentials.load_credential(connection, SERVICE)
        if credential is None:
            raise SignedOut(f"nobody is signed in to Twitch: {WAY_OUT} does it")
        if credential.dead_at is not None:
            raise SignedOut(_signed_out(credential, credential.dead_reason or ""))
        return credential

    def _open(self, credential: StoredCredential) -> Tokens:
        vault = self._vault()
        try:
            return msgspec.json.decode(vault.decrypt(credential.tokens_encrypted), type=Tokens)
        except VaultError:
            raise SignedOut(
                f"the key in {vault.path} does not open the sign-in at Twitch: put the key file back that it was made "
                f"with, or sign in again: {WAY_OUT}"
            ) from None

    def _vault(self) -> Vault:
        try:
            return self._open_vault()
        except VaultError as error:
            raise SignedOut(str(error)) from None

    def _renewed(self, client: Client, credential: StoredCredential, reason: str) -> Session:
        """Trade the refresh token for new tokens; without any, or if it is refused, the sign-in is dead."""
        spent = self._open(credential).refresh_token
        tokens = self._auth(client, credential).refresh(spent) if spent else None
        if tokens is None:
            with self._engine.begin() as connection:
                died = credentials.mark_dead(connection, credential, reason, at=self._now())
            if died:
                raise SignedOut(_signed_out(credential, reason))
        else:
            tokens = msgspec.structs.replace(tokens, refresh_token=tokens.refresh_token or spent)
            end = _end(self._now(), tokens.expires_in)
            with self._engine.begin() as connection:
                credentials.replace_tokens(connection, credential, encrypted(self._vault(), tokens), expires_at=end)
        # Where another process was faster, the tokens that it stored hold.
        stored = self._load()
        return _session(stored, self._open(stored))

    def _auth(self, client: Client, credential: StoredCredential) -> TwitchAuth:
        return TwitchAuth(client, self._auth_url, credential.client_id)


def sign_in(engine: Engine, vault: Vault, tokens: Tokens, viewer: Viewer, now: datetime) -> None:
    """Keep a sign-in, its tokens encrypted."""
    with engine.begin() as connection:
        credential = StoredCredential(
            service=SERVICE,
            login=clean(viewer.login) or viewer.user_id,
            user_id=viewer.user_id,
            client_id=viewer.client_id,
            tokens_encrypted=encrypted(vault, tokens),
            device_id=secrets.token_hex(16),
            session_id=secrets.token_hex(8),
            signed_in_at=now,
            expires_at=_end(now, viewer.expires_in),
            validated_at=now,
            dead_at=None,
            dead_reason=None,
        )
        credentials.save_credential(connection, credential)


def encrypted(vault: Vault, tokens: Tokens) -> bytes:
    """Return tokens as the database may hold them."""
    return vault.encrypt(msgspec.json.encode(tokens).decode())


def _session(credential: StoredCredential, tokens: Tokens) -> Session:
    return Session(
        token=tokens.access_token,
        client_id=credential.client_id,
        device_id=credential.device_id,
        session_id=credential.session_id,
    )


def _signed_out(credential: StoredCredential, reason: str) -> str:
    return f"Twitch signed {credential.login} out ({reason}): {WAY_OUT} signs in again"


def _end(now: datetime, expires_in: int | None) -> datetime | None:
    """Return when tokens end; those of Twitch's own applications come with 0, and last."""
    return now + timedelta(seconds=expires_in) if expires_in else None
