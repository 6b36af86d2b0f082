"""Rounds of polling from end to end: the local Twitch is asked by a worker's own way, and rows and events follow."""

from tests.pipeline.streams.polls import Polls


def test_a_stream_that_only_polls_see(polls: Polls) -> None:
    polls.twitch.add_category("7001", "Harbour Lights")
    polls.follow("ann", "ben")
    polls.round()
    polls.wait(1)
    began = polls.twitch.go_live("ann", title="Lamps", category="7001", viewers=40)

    seen = polls.round(4)
    assert (seen.outcome, seen.items, dict(seen.events)) == ("ok", 1, {"stream.online": 1})
    session = polls.streaming.session(began.id)
    assert (session.started_at, session.title, session.silent) == (began.started_at, "Lamps", False)
    assert polls.streaming.event("stream.online").detail["game"] == "Harbour Lights"

    polls.twitch.set_viewers("ann", 60)
    assert polls.round(5).outcome == "unchanged"
    last_seen = polls.now
    polls.twitch.go_offline("ann")
    polls.round(5)
    assert polls.streaming.session(began.id).ended_at is None
    # When the second round misses it, more than the flap's time has passed since it was last seen.
    assert dict(polls.round(5.5).events) == {"stream.offline": 1}
    assert polls.streaming.session(began.id).ended_at == last_seen
    assert polls.streaming.viewers(began.id) == [40, 60]
    assert polls.streaming.event("stream.offline").detail["recap"]["peak_viewers"] == 60
