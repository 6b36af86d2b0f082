"""The program's times, a hundredth of what they are."""

from datetime import timedelta

from pipeline.channels.eventsub.close_codes import Backoff
from pipeline.channels.eventsub.timing import Timing

FAST = Timing(
    lead=timedelta(milliseconds=100),
    beat=timedelta(milliseconds=100),
    wanted=timedelta(milliseconds=100),
    shard=timedelta(milliseconds=200),
    verified=timedelta(milliseconds=100),
    pending=timedelta(milliseconds=500),
    retry=timedelta(milliseconds=200),
    sweep=timedelta(milliseconds=200),
    grace=timedelta(milliseconds=200),
)


class Quick(Backoff):
    """Waits as a real one does, a hundredth of the time, and never long."""

    def after(self, pause: timedelta, lived: timedelta) -> timedelta:
        return min(super().after(pause, lived) / 100, timedelta(milliseconds=50))
