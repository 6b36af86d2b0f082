"""Sets right what a clock that ran ahead has written, once that clock was set back.

Each claim knows by itself how far ahead its times can be (`models.due`). This is for all other times: moments that were
the present when they were written, and now lie in the future. Followed since next year, a channel would bring no news
until then; asked for next year, a game of IGDB would never be written again.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    Engine,
    Table,
    Text,
    Update,
    and_,
    case,
    exists,
    func,
    literal,
    null,
    or_,
    select,
    update,
)

from models import DropCampaign, Event, EventSubMessage, Heartbeat, Source, StreamSession
from models.due import CLOCK_TOLERANCE, is_impossible
from models.events import EventKind
from models.tables import Base
from notifiers import due
from notifiers.rests import LONGEST_REST
from pipeline.channels.eventsub.source_row import NAME as EVENTSUB
from pipeline.channels.sources.videos import AGAIN_AFTER
from pipeline.events.damping import DAMPING_WINDOW
from pipeline.games.store.wanted import MONTH
from pipeline.ingest import service_time
from pipeline.ingest.turn import take_turn
from pipeline.people.store import invitations
from pipeline.programs.operating.incidents import report
from pipeline.programs.operating.troubles import clock_jumped_back
from pipeline.roms.store.folders import LONGEST_WAIT
from pipeline.runtime.heartbeat import CLOCK, CLOCK_SINCE
from pipeline.services.twitch.account import SERVICE as TWITCH
from pipeline.sound.store import extractions, hosts, renditions, shows

# The programs' own signs of life stay as they are, for only the programs themselves can say that they live.
OURS = (CLOCK, CLOCK_SINCE)
_MEMORY = ("asked_at", "reconciled_at")


class Rule(StrEnum):
    """What becomes of a time that lies further ahead than it can be."""

    # It was the present, as our clock had it: it is now.
    WAS = "was the present"
    # It says when to do something next: that is now.
    DUE = "is due now"
    # It says that something was over, or told, which it can only be later: nothing of that has happened yet.
    UNDONE = "has not happened"
    # A service's word, or part of a row's key, or history that never changes.
    STAYS = "stays"


# Every time of every table; tests/tasks/test_clock_jump.py finds one that is missing here.
RULES: Mapping[str, Mapping[str, Rule]] = {
    "account_links": {"seen_at": Rule.WAS},
    # A key ends when a person said.
    "api_keys": {
        "created_at": Rule.WAS,
        "expires_at": Rule.STAYS,
        "last_used_at": Rule.WAS,
        "revoked_at": Rule.WAS,
    },
    # Nothing of them changes, as of the ledger.
    "audit_entries": {"at": Rule.STAYS},
    # The tick that gives more knows how far ahead it may be; a day's messages are counted by the name of the day.
    "balances": {"next_due_at": Rule.STAYS, "low_told_at": Rule.WAS, "messages_since": Rule.STAYS},
    "allowed_channels": {"first_seen_at": Rule.WAS, "last_seen_at": Rule.WAS},
    "campaign_deadlines": {"due_at": Rule.STAYS},
    "channels": {
        "first_seen_at": Rule.WAS,
        "checked_at": Rule.WAS,
        "videos_checked_at": Rule.WAS,
        "videos_due_at": Rule.DUE,
    },
    "chat_badges": {"first_seen_at": Rule.WAS, "last_seen_at": Rule.WAS},
    "credentials": {
        "signed_in_at": Rule.WAS,
        "expires_at": Rule.STAYS,
        "validated_at": Rule.WAS,
        "dead_at": Rule.WAS,
    },
    "deliveries": {
        "dead_at": Rule.WAS,
        "created_at": Rule.WAS,
        "next_attempt_at": Rule.DUE,
        "first_attempt_at": Rule.WAS,
        "lease_until": Rule.DUE,
        "sent_at": Rule.WAS,
    },
    "drop_benefit_edges": {"last_seen_at": Rule.WAS},
    "drop_benefits": {"created_at": Rule.STAYS},
    "drop_campaigns": {
        "start_at": Rule.STAYS,
        "end_at": Rule.STAYS,
        "first_seen_at": Rule.WAS,
        "last_seen_at": Rule.UNDONE,
        "started_at": Rule.UNDONE,
        "ended_at": Rule.UNDONE,
        "withdrawn_at": Rule.WAS,
    },
    "drop_progress": {"claimed_at": Rule.STAYS, "seen_at": Rule.WAS},
    "events": {"occurred_at": Rule.STAYS, "recorded_at": Rule.STAYS},
    "eventsub_messages": {"sent_at": Rule.STAYS, "received_at": Rule.WAS, "handled_at": Rule.WAS},
    "feed_items": {"occurred_at": Rule.STAYS},
    "feeds": {"written_at": Rule.WAS, "ceased_at": Rule.WAS},
    "fetch_runs": {"started_at": Rule.WAS, "snapshot_at": Rule.WAS},
    "follows": {"created_at": Rule.WAS},
    "game_external_ids": {"pinned_at": Rule.WAS},
    "games": {"work_pinned_at": Rule.WAS},
    "game_list_entries": {"added_at": Rule.WAS},
    "game_lists": {"created_at": Rule.WAS},
    "game_metadata": {
        "first_release_at": Rule.STAYS,
        "updated_at": Rule.STAYS,
        "synced_at": Rule.WAS,
        "removed_at": Rule.WAS,
    },
    "game_states": {"updated_at": Rule.WAS},
    "heartbeats": {"at": Rule.WAS},
    "idempotent_answers": {"created_at": Rule.WAS},
    "import_lines": {"settled_at": Rule.WAS},
    "imports": {"started_at": Rule.WAS, "finished_at": Rule.WAS},
    "incidents": {
        "since": Rule.WAS,
        "seen_at": Rule.WAS,
        "told_at": Rule.WAS,
        "recovered_at": Rule.WAS,
    },
    "held_changes": {"held_at": Rule.WAS, "due_at": Rule.DUE},
    "invitations": {"created_at": Rule.WAS, "expires_at": Rule.DUE, "used_at": Rule.WAS},
    "ledger_entries": {"at": Rule.STAYS},
    "library_accounts": {
        "created_at": Rule.WAS,
        "next_due_at": Rule.DUE,
        "asked_at": Rule.WAS,
        "answered_at": Rule.WAS,
        "played_at": Rule.STAYS,
        "problem_since": Rule.WAS,
    },
    "library_entries": {
        "last_played_at": Rule.STAYS,
        "first_seen_at": Rule.WAS,
        "last_seen_at": Rule.WAS,
        "hidden_at": Rule.WAS,
        "removed_at": Rule.WAS,
    },
    "links": {"made_at": Rule.WAS, "revoked_at": Rule.WAS},
    "list_activities": {"at": Rule.WAS, "told_at": Rule.WAS},
    "person_works": {"last_played_at": Rule.STAYS, "changes_at": Rule.DUE},
    "pictures": {"fetched_at": Rule.WAS, "next_due_at": Rule.DUE, "last_wanted_at": Rule.WAS},
    "play_sessions": {"until_at": Rule.STAYS, "since_at": Rule.STAYS},
    "playthroughs": {"created_at": Rule.WAS, "edited_at": Rule.WAS, "removed_at": Rule.WAS},
    "quarantined_payloads": {"first_seen_at": Rule.WAS, "last_seen_at": Rule.WAS},
    "release_dates": {
        "first_seen_at": Rule.WAS,
        "last_seen_at": Rule.WAS,
        "told_at": Rule.UNDONE,
        "judged_at": Rule.WAS,
    },
    "dat_files": {"imported_at": Rule.WAS, "superseded_at": Rule.WAS},
    "rom_exports": {"written_at": Rule.WAS},
    "rom_files": {"first_seen_at": Rule.WAS, "read_at": Rule.WAS, "missing_since": Rule.WAS},
    "rom_folders": {
        "added_at": Rule.WAS,
        "next_due_at": Rule.DUE,
        "scan_started_at": Rule.WAS,
        "scanned_at": Rule.WAS,
        "suspect_since": Rule.WAS,
        "problem_since": Rule.WAS,
        "removed_at": Rule.WAS,
    },
    "roms": {
        "pinned_at": Rule.WAS,
        "matched_at": Rule.WAS,
        "added_at": Rule.WAS,
        "missing_since": Rule.WAS,
    },
    "sounds": {"published_at": Rule.STAYS, "added_at": Rule.WAS, "missing_at": Rule.WAS, "removed_at": Rule.WAS},
    "sound_folders": {
        "added_at": Rule.WAS,
        "scanned_at": Rule.WAS,
        "scan_wanted_at": Rule.WAS,
        "removed_at": Rule.WAS,
    },
    "sound_files": {"seen_at": Rule.WAS, "missing_since": Rule.WAS},
    "renditions": {"next_due_at": Rule.DUE, "lease_until": Rule.DUE, "rendered_at": Rule.WAS},
    "extractions": {
        "added_at": Rule.WAS,
        "next_due_at": Rule.DUE,
        # When the service deletes it.
        "expires_at": Rule.STAYS,
        "lease_until": Rule.DUE,
        "finished_at": Rule.WAS,
    },
    "sound_hosts": {
        "until": Rule.DUE,
        "last_fetched_at": Rule.WAS,
        "cookies_set_at": Rule.WAS,
        "cookies_stale_at": Rule.WAS,
    },
    # Else nothing of a channel would be new to its show until then.
    "shows": {"since": Rule.WAS, "added_at": Rule.WAS, "next_due_at": Rule.DUE, "removed_at": Rule.WAS},
    # It was said to be let go at that time.
    "episodes": {"added_at": Rule.WAS, "expiring_at": Rule.STAYS, "kept_out_at": Rule.WAS},
    "playlists": {"added_at": Rule.WAS, "removed_at": Rule.WAS},
    "playlist_sounds": {"added_at": Rule.WAS},
    "plays": {"at": Rule.WAS},
    # Until a day that a person chose.
    "mutes": {"until": Rule.STAYS, "created_at": Rule.WAS},
    "people": {"created_at": Rule.WAS, "disabled_at": Rule.WAS},
    "plans": {"created_at": Rule.WAS},
    "reward_campaigns": {
        "start_at": Rule.STAYS,
        "end_at": Rule.STAYS,
        "first_seen_at": Rule.WAS,
        "last_seen_at": Rule.UNDONE,
        "ended_at": Rule.UNDONE,
    },
    "rewards": {"earnable_until": Rule.STAYS, "first_seen_at": Rule.WAS, "last_seen_at": Rule.WAS},
    "settled": {"created_at": Rule.WAS},
    "sightings": {
        "first_seen_at": Rule.WAS,
        "last_seen_at": Rule.UNDONE,
        "absent_since": Rule.WAS,
        "absent_counted_at": Rule.WAS,
        "closed_at": Rule.UNDONE,
    },
    "sources": {
        "next_due_at": Rule.DUE,
        "lease_until": Rule.DUE,
        "failing_since": Rule.WAS,
        "changed_since": Rule.WAS,
        "stale_since": Rule.WAS,
        "last_success_at": Rule.WAS,
        "last_snapshot_at": Rule.WAS,
        "first_fetched_at": Rule.WAS,
        "known_since": Rule.WAS,
    },
    "stream_segments": {"started_at": Rule.STAYS},
    "stream_sessions": {
        "started_at": Rule.STAYS,
        "first_seen_at": Rule.WAS,
        "last_seen_at": Rule.WAS,
        "ended_at": Rule.WAS,
        "told_at": Rule.WAS,
        "listed_at": Rule.WAS,
    },
    "stream_snapshots": {"taken_at": Rule.STAYS},
    "subscriptions": {"created_at": Rule.WAS},
    "targets": {
        "created_at": Rule.WAS,
        "rests_until": Rule.DUE,
        "heartbeat_at": Rule.WAS,
        "disabled_at": Rule.WAS,
        "removed_at": Rule.WAS,
        # The sender that claims sees by `looked_at` that the clock was wrong, and reckons both anew.
        "due_at": Rule.STAYS,
        "looked_at": Rule.STAYS,
        "broken_until": Rule.DUE,
    },
    "time_based_drops": {
        "start_at": Rule.STAYS,
        "end_at": Rule.STAYS,
        "first_seen_at": Rule.WAS,
        "last_seen_at": Rule.WAS,
    },
    "title_decisions": {"made_at": Rule.WAS},
    "videos": {"published_at": Rule.STAYS, "first_seen_at": Rule.WAS},
    "wakes": {"at": Rule.STAYS},
    "wanted_games": {"wanted_at": Rule.WAS, "next_due_at": Rule.DUE},
}
# Due times that may lie further ahead of the present than the clocks differ; all others are made due at once.
FURTHEST: Mapping[str, Any] = {
    "channels.videos_due_at": AGAIN_AFTER,
    "deliveries.lease_until": due.LEASE,
    "deliveries.next_attempt_at": due.FURTHEST,
    "extractions.lease_until": extractions.LEASE,
    "extractions.next_due_at": extractions.LONGEST_WAIT,
    "held_changes.due_at": DAMPING_WINDOW,
    "invitations.expires_at": invitations.LASTS,
    "library_accounts.next_due_at": timedelta(days=2),
    "person_works.changes_at": timedelta(days=15),
    "renditions.lease_until": renditions.LEASE,
    "renditions.next_due_at": renditions.LONGEST_PAUSE,
    "rom_folders.next_due_at": LONGEST_WAIT,
    "shows.next_due_at": shows.LONGEST_LIST_WAIT,
    "sound_hosts.until": hosts.LONGEST_REST,
    "targets.broken_until": due.LONGEST_BREAK,
    "targets.rests_until": LONGEST_REST,
    "wanted_games.next_due_at": MONTH,
}
# What stays though it lies in the future. A campaign whose start was never told ran when it was added, and has started
# whatever the clock says: were that undone, it would start once more when the clock is right again.
_START_WAS_TOLD = exists().where(Event.kind == EventKind.CAMPAIGN_STARTED, Event.campaign_id == DropCampaign.id)
ONLY_WHERE: Mapping[str, ColumnElement[bool]] = {"drop_campaigns.started_at": _START_WAS_TOLD}


def put_right(engine: Engine, now: datetime, *, was_set_back: bool = False) -> timedelta | None:
    """Set all times right where the clock has jumped back since it ticked last; returns how far, None if it has not.

    Where it is known that it `was_set_back`, by minutes too: else those may be the clock of another machine. Events
    keep their times: they never change. Safe to call at any time, and again after it died.
    """
    tolerance = timedelta(0) if was_set_back else CLOCK_TOLERANCE
    with engine.connect() as connection:
        if _jump(connection, now, tolerance) is None:
            return None
    with engine.begin() as connection:
        take_turn(connection)
        jump = _jump(connection, now, tolerance)
        if jump is None:
            return None
        for statement in _statements(now, _present_of_streams(connection, now), tolerance):
            connection.execute(statement)
        service_time.forget(connection)
        without = Source.cursor.op("-")(literal(list(_MEMORY), ARRAY(Text)))
        connection.execute(update(Source).where(Source.name == EVENTSUB).values(cursor=without))
        report(connection, clock_jumped_back(jump), now)
        return jump


def _jump(connection: Connection, now: datetime, tolerance: timedelta) -> timedelta | None:
    """Return how far ahead of now the clock has ticked already; None where that is within the tolerance."""
    latest = connection.scalar(select(func.max(Heartbeat.at)).where(Heartbeat.name.in_(OURS)))
    return latest - now if latest is not None and latest > now + tolerance else None


def _present_of_streams(connection: Connection, now: datetime) -> datetime:
    """Return the present by Twitch's clock, by which streams are judged, as far as it is known: it may be later.

    Twitch may be ahead of our clock since the jump, have had our time before, and have dated its messages since.
    """
    agreed_at = service_time.last_agreed(connection) or now
    sent_at = connection.scalar(select(func.max(EventSubMessage.sent_at))) or now
    return max(now, agreed_at, sent_at, service_time.present(connection, TWITCH, now))


def _statements(now: datetime, of_streams: datetime, tolerance: timedelta) -> Iterator[Update]:
    for name, rules in RULES.items():
        table = Base.metadata.tables[name]
        at = of_streams if name == StreamSession.__tablename__ else now
        wrong = {
            column: _is_wrong(table, column, at, tolerance) for column, rule in rules.items() if rule != Rule.STAYS
        }
        if wrong:
            values = {c: case((is_wrong, _right(rules[c], at)), else_=table.c[c]) for c, is_wrong in wrong.items()}
            statement = update(table).where(or_(*wrong.values())).values(values)
            yield statement.where(table.c.name.in_(OURS)) if name == Heartbeat.__tablename__ else statement


def _is_wrong(table: Table, column: str, now: datetime, tolerance: timedelta) -> ColumnElement[bool]:
    name = f"{table.name}.{column}"
    wrong = is_impossible(table.c[column], now, FURTHEST.get(name, timedelta(0)), tolerance)
    return and_(wrong, ONLY_WHERE[name]) if name in ONLY_WHERE else wrong


def _right(rule: Rule, now: datetime) -> Any:
    return null() if rule is Rule.UNDONE else now
