"""Fixtures of the tests of extractions: a local server, and what an extraction works with."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from models import Event, Extraction
from models.vault import Vault
from pipeline.runtime.runtime import utc_now
from pipeline.sound.downloading import Limits
from pipeline.sound.downloading.fetching import LOOPBACK_PORTS
from pipeline.sound.extracting.extract import Extracted, extract_next
from pipeline.sound.extracting.surroundings import Surroundings
from pipeline.sound.loudness.profiles import built_in
from pipeline.sound.media.ffmpeg import find_ffmpeg
from pipeline.sound.store.extractions import ExtractionRow, add_extraction, load_extraction
from tests.pipeline.sound.audio import make, speech
from tests.pipeline.sound.media_server import MediaServer


@dataclass
class Extracting:
    """Extractions from a local server, and what became of them."""

    around: Surroundings
    server: MediaServer
    audio: bytes

    @property
    def engine(self) -> Engine:
        return self.around.engine

    def add(self, url: str, **fields: object) -> int:
        """Have an address fetched."""
        with self.engine.begin() as connection:
            return add_extraction(connection, url, now=utc_now(), **fields).id  # type: ignore[arg-type]

    def run(self, only: int | None = None) -> Extracted:
        """Carry on what is due."""
        extracted = extract_next(self.around, only=only)
        assert extracted is not None
        return extracted

    def having(self, **values: object) -> "Extracting":
        """The same with other surroundings."""
        return replace(self, around=replace(self.around, **values))  # type: ignore[arg-type]

    def row(self, extraction_id: int) -> ExtractionRow:
        with self.engine.connect() as connection:
            return load_extraction(connection, extraction_id)

    def make_due(self) -> None:
        """Let all pauses be over."""
        with self.engine.begin() as connection:
            connection.execute(Extraction.__table__.update().values(next_due_at=utc_now()))  # type: ignore[attr-defined]

    def events(self) -> list[str]:
        with self.engine.connect() as connection:
            return list(connection.scalars(select(Event.kind).order_by(Event.id)))

    def workspaces(self) -> list[str]:
        folder = self.around.data_dir / "sounds" / "work"
        return sorted(path.name for path in folder.iterdir()) if folder.exists() else []

    def originals(self) -> list[Path]:
        return sorted((self.around.data_dir / "sounds" / "originals").rglob("*.*"))


@pytest.fixture(scope="session")
def audio(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Four seconds that sound like speech."""
    return make(tmp_path_factory.mktemp("audio") / "speech.m4a", speech(4), "-b:a", "64k").read_bytes()


@pytest.fixture
def extracting(engine: Engine, tmp_path: Path, audio: bytes, monkeypatch: pytest.MonkeyPatch) -> Iterator[Extracting]:
    data_dir = tmp_path / "data"
    data_dir.mkdir(mode=0o700)
    with MediaServer() as server:
        monkeypatch.setenv(LOOPBACK_PORTS, str(server.port))
        around = Surroundings(
            engine=engine,
            data_dir=data_dir,
            clock=utc_now,
            vault=lambda: Vault.open(data_dir / "secret.key"),
            ffmpeg=find_ffmpeg,
            profiles=built_in(),
            pause=timedelta(0),
            limits=Limits(keep_free=0, patience=20),
        )
        yield Extracting(around, server, audio)
