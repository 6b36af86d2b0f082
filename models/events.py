"""The kinds of events; `models.details` has the fields of each, and `models.words` its words."""

from enum import StrEnum


class EventKind(StrEnum):
    """Every kind of event; a family is the part before the dot."""

    CAMPAIGN_ADDED = "campaign.added"
    CAMPAIGN_STARTED = "campaign.started"
    CAMPAIGN_CHANGED = "campaign.changed"
    CAMPAIGN_DROP_ADDED = "campaign.drop_added"
    CAMPAIGN_CHANNELS_CHANGED = "campaign.channels_changed"
    CAMPAIGN_ENDING_SOON = "campaign.ending_soon"
    CAMPAIGN_LAST_CHANCE = "campaign.last_chance"
    CAMPAIGN_ENDED = "campaign.ended"
    CAMPAIGN_WITHDRAWN = "campaign.withdrawn"
    CAMPAIGN_RETURNED = "campaign.returned"
    CAMPAIGN_WATCHABLE = "campaign.watchable"
    REWARD_ADDED = "reward.added"
    REWARD_ENDED = "reward.ended"
    BADGE_ADDED = "badge.added"
    STREAM_ONLINE = "stream.online"
    STREAM_RERUN = "stream.rerun"
    STREAM_OFFLINE = "stream.offline"
    STREAM_TITLE_CHANGED = "stream.title_changed"
    STREAM_CATEGORY_CHANGED = "stream.category_changed"
    VIDEO_PUBLISHED = "video.published"
    RELEASE_ANNOUNCED = "release.announced"
    RELEASE_PRECISED = "release.precised"
    RELEASE_MOVED = "release.moved"
    RELEASE_OUT = "release.out"
    RELEASE_CANCELLED = "release.cancelled"
    GAME_ADDED = "game.added"
    LIBRARY_ADDED = "library.added"
    LIBRARY_GONE = "library.gone"
    LIBRARY_RETURNED = "library.returned"
    PLAY_STARTED = "play.started"
    PLAY_FINISHED = "play.finished"
    LIST_CHANGED = "list.changed"
    ROM_ADDED = "rom.added"
    ROM_MISSING = "rom.missing"
    ROM_RETURNED = "rom.returned"
    ROM_IDENTIFIED = "rom.identified"
    SOUND_READY = "sound.ready"
    SOUND_FAILED = "sound.failed"
    SOUND_EXPIRING = "sound.expiring"
    QUOTA_LOW = "quota.low"
    SOURCE_FAILING = "source.failing"
    SOURCE_STALE = "source.stale"
    SOURCE_RECOVERED = "source.recovered"
    SOURCE_CHANGED = "source.changed"
    OPERATOR_DELIVERIES_DEAD = "operator.deliveries_dead"
    OPERATOR_STALLED = "operator.stalled"
    OPERATOR_PUBLISH_FAILED = "operator.publish_failed"
    OPERATOR_DISK_FULL = "operator.disk_full"
    OPERATOR_DISK_READ_ONLY = "operator.disk_read_only"
    OPERATOR_CLOCK_JUMPED = "operator.clock_jumped"
    OPERATOR_PING_FAILED = "operator.ping_failed"
    OPERATOR_RECOVERED = "operator.recovered"
    OPERATOR_HEARTBEAT = "operator.heartbeat"

    @property
    def is_on_request(self) -> bool:
        """Whether only a subscription that names the kind itself wants it: neither all kinds nor its family do."""
        return self is EventKind.STREAM_RERUN

    @property
    def is_for_operators(self) -> bool:
        """Whether it tells of the installation itself: only operators hear of it, and subscribers to its family."""
        return self.family == "operator"

    @property
    def is_of_a_person(self) -> bool:
        """Whether it is of a person's library, journal, lists, ROMs, sounds, credits: for who wants its family."""
        return self.family in {"library", "play", "list", "rom", "sound", "quota"}

    @property
    def family(self) -> str:
        """The part before the dot: `campaign`, `stream`, `source`."""
        return self.value.split(".", 1)[0]
