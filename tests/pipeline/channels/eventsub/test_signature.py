"""Whether a message was signed with our secret, and lately; and where that secret is."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from models.errors import LootwireError
from pipeline.channels.eventsub.secret import SECRET_FILE, fingerprint, load_secret
from pipeline.channels.eventsub.signature import Forged, sign, verify
from tests.paths import RECORDINGS

NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)
STAMP = "2026-09-01T11:55:00.123456789Z"
VECTORS = RECORDINGS / "eventsub" / "hmac_vectors.json"


SECRET = "0123456789"


def judge(timestamp: str = STAMP, *, secret: str = SECRET, body: bytes = b"{}", **changed: str) -> datetime:
    fields = {"message_id": "m1", "signature": sign(SECRET, "m1", timestamp, b"{}"), "timestamp": timestamp}
    return verify(secret, **{**fields, **changed}, body=body, now=NOW)


def test_a_signed_message_tells_when_it_was_sent() -> None:
    assert judge() == datetime(2026, 9, 1, 11, 55, 0, 123457, tzinfo=UTC)


@pytest.mark.parametrize(
    "changed",
    [
        {"message_id": "m2"},
        {"secret": "another secret"},
        {"body": b"{ }"},
        {"signature": ""},
        {"signature": "sha256="},
        {"signature": "sha1=" + "0" * 64},
        {"signature": "sha256=é" + "0" * 63},
    ],
)
def test_a_message_that_was_changed_on_its_way_is_forged(changed: dict[str, str]) -> None:
    with pytest.raises(Forged, match="signature") as caught:
        judge(**changed)  # type: ignore[arg-type]
    assert "0123456789" not in str(caught.value)


@pytest.mark.parametrize(
    ("stamp", "reason"),
    [
        ("2026-09-01T11:49:59Z", "older"),
        ("2026-09-01T12:10:01Z", "future"),
        ("2026-09-01T12:00:00", "no time"),
        ("", "no time"),
        ("0001-01-01T00:00:00+23:00", "no time"),
    ],
)
def test_a_message_from_another_time_is_forged(stamp: str, reason: str) -> None:
    with pytest.raises(Forged, match=reason):
        judge(stamp)


@pytest.mark.recordings
@pytest.mark.skipif(not VECTORS.is_file(), reason=f"there is no {VECTORS}")
def test_recorded_messages_bear_their_signatures() -> None:
    vectors = msgspec.json.decode(VECTORS.read_bytes())
    assert len(vectors) == 3
    for vector in vectors:
        headers = {name.lower(): value for name, value in vector["headers"].items()}
        signed = {part: headers[f"twitch-eventsub-message-{part}"] for part in ("id", "timestamp", "signature")}
        sent_at = msgspec.convert(signed["timestamp"], datetime)
        verified = verify(
            vector["secret"],
            message_id=signed["id"],
            timestamp=signed["timestamp"],
            signature=signed["signature"],
            body=vector["body"].encode(),
            now=sent_at + timedelta(minutes=9),
        )
        assert verified == sent_at


def test_a_secret_is_made_once_readable_by_its_owner_and_as_twitch_wants_it(tmp_path: Path) -> None:
    made = load_secret(tmp_path / "data")
    path = tmp_path / "data" / SECRET_FILE
    assert load_secret(tmp_path / "data") == made
    assert re.fullmatch(r"[A-Za-z0-9_-]{10,100}", made.get_secret_value())
    assert path.stat().st_mode & 0o777 == 0o600
    assert fingerprint(made) == fingerprint(load_secret(tmp_path / "data"))
    assert made.get_secret_value() not in fingerprint(made)


@pytest.mark.parametrize(
    ("content", "mode", "reason"), [("short", 0o600, "10 to 100"), ("0123456789", 0o644, "chmod 600")]
)
def test_a_secret_that_twitch_would_not_take_or_that_others_may_read_is_refused(
    tmp_path: Path, content: str, mode: int, reason: str
) -> None:
    path = tmp_path / SECRET_FILE
    path.write_text(content)
    path.chmod(mode)
    with pytest.raises(LootwireError, match=reason) as caught:
        load_secret(tmp_path)
    assert content not in str(caught.value)
