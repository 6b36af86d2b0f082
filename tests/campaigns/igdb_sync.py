"""A full sync in a process of its own, which keeps to a limit as loose as the local IGDB's.

python -m tests.campaigns.igdb_sync DATABASE_URL REDIS_URL IGDB_URL REQUESTS_A_SECOND
"""

import sys
from datetime import UTC, datetime, timedelta

from pipeline.database import connect
from pipeline.http import Client
from pipeline.igdb.mirror import Mirroring
from pipeline.igdb.sync import tell_nothing
from pipeline.limiter import RateLimiter, connect_redis
from pipeline.sources.igdb import Igdb
from pipeline.sources.igdb_http import MOST_OPEN, IgdbRequests
from pipeline.sources.twitch_app import AppToken
from tests.twitch.local import CLIENT_ID


class FixedToken:
    """The token that this local IGDB takes."""

    def current(self, client: Client) -> AppToken:  # noqa: ARG002
        return AppToken(CLIENT_ID, "made-up")

    def renew(self, client: Client, refused: AppToken) -> AppToken:  # noqa: ARG002
        raise AssertionError("nobody refuses this token")


def main() -> None:
    database_url, redis_url, url, requests = sys.argv[1:]
    redis = connect_redis(redis_url)

    def clock() -> datetime:
        return datetime.now(UTC)

    def opened(client: Client) -> Igdb:
        limiter = RateLimiter(
            redis, "campaign", requests=int(requests), most_open=MOST_OPEN, lease=timedelta(seconds=2)
        )
        return Igdb(IgdbRequests(client, url, FixedToken(), limiter, clock))

    interval = timedelta(seconds=1) / int(requests)
    mirroring = Mirroring(
        engine=connect(database_url), open_igdb=opened, clock=clock, tell=tell_nothing, interval=interval
    )
    for _ in mirroring.run():
        pass


if __name__ == "__main__":
    main()
