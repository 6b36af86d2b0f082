"""A channel at Twitch with streams and videos, as `channels` stores them."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, func, insert, select

from models import Channel, Episode, Extraction, Game, Rendition, StreamSegment, StreamSession, Video
from pipeline.sound.store.episodes import add_episode, note_sound
from pipeline.sound.store.extractions import add_extraction, begin_stage, claim_next, complete
from pipeline.sound.store.shows import ShowRow, add_show
from pipeline.sound.store.sounds import NewSound, keep_sound

NOW = datetime(2026, 11, 30, 3, tzinfo=UTC)


class Ann:
    """Ann's channel; `engine` has it from the start."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        with engine.begin() as connection:
            row = {"service": "twitch", "external_id": "101", "login": "ann", "display_name": "Ann"}
            self.channel_id = connection.execute(
                insert(Channel).values(**row, first_seen_at=NOW).returning(Channel.id)
            ).scalar_one()

    def game(self, name: str) -> int:
        """Add a game."""
        with self.engine.begin() as connection:
            values = {"name": name, "name_key": name.lower(), "public_id": name.lower()}
            return connection.execute(insert(Game).values(values).returning(Game.id)).scalar_one()

    def video(self, external_id: str, **fields: object) -> int:
        """Add a video that was published at `NOW`."""
        usual: dict[str, object] = {
            "channel_id": self.channel_id,
            "external_id": external_id,
            "type": "archive",
            "title": f"Video {external_id}",
            "url": f"https://www.twitch.tv/videos/{external_id}",
            "published_at": NOW,
            "first_seen_at": NOW,
            "seconds": 3600,
        }
        with self.engine.begin() as connection:
            return connection.execute(insert(Video).values(usual | fields).returning(Video.id)).scalar_one()

    def stream(self, stream_id: str, *parts: tuple[float, str, int | None], minutes: float = 60) -> None:
        """Add a stream that began at `NOW`; parts are minutes from then, a title, and a game."""
        with self.engine.begin() as connection:
            values = {
                "channel_id": self.channel_id,
                "stream_id": stream_id,
                "started_at": NOW,
                "first_seen_at": NOW,
                "last_seen_at": NOW,
                "ended_at": NOW + timedelta(minutes=minutes),
            }
            session_id = connection.execute(
                insert(StreamSession).values(values).returning(StreamSession.id)
            ).scalar_one()
            for after, title, game_id in parts:
                part = {"session_id": session_id, "title": title, "game_id": game_id}
                connection.execute(insert(StreamSegment).values(**part, started_at=NOW + timedelta(minutes=after)))

    def show(self, name: str = "Ann", **fields: object) -> ShowRow:
        """Add a show of the channel."""
        with self.engine.begin() as connection:
            return add_show(connection, name, channel_id=self.channel_id, now=NOW, **fields)  # type: ignore[arg-type]

    def episode(self, show: ShowRow, number: int, published_at: datetime, size: int = 1000) -> int:
        """Add an episode whose sound is here; returns the sound."""
        with self.engine.begin() as connection:
            url = f"https://cdn.example/{number}"
            added = add_extraction(connection, url, now=NOW)
            add_episode(connection, show.id, added.id, NOW)
            known = connection.scalar(select(Extraction.sound_id).where(Extraction.id == added.id))
            if known is not None:
                return known
            taken = claim_next(connection, NOW, pause=timedelta(0), only=added.id)
            assert taken is not None
            sound = NewSound(
                kind="episode",
                sha256=number.to_bytes(32),
                size=size,
                title=f"Episode {number}",
                original=f"sounds/originals/00/{number}.m4a",
                published_at=published_at,
            )
            stored = keep_sound(connection, sound, NOW)
            connection.execute(
                insert(Rendition).values(
                    sound_id=stored.id, profile="podcast", state="ready", path=f"r{number}", size=0, next_due_at=NOW
                )
            )
            note_sound(connection, added.id, stored.id)
            complete(connection, begin_stage(connection, taken, "publish", sound_id=stored.id), NOW)
            return stored.id

    def wanted(self) -> list[str]:
        """The ids of the videos that shows want, as extractions have them."""
        with self.engine.connect() as connection:
            query = select(Extraction.external_id).join(Episode, Episode.extraction_id == Extraction.id)
            return sorted(external_id or "" for external_id in connection.scalars(query))

    def count(self, table: type[Extraction] | type[Episode]) -> int:
        """How many rows there are."""
        with self.engine.connect() as connection:
            return connection.scalar(select(func.count()).select_from(table)) or 0
