"""A program that extracts sounds until it is told to end, as the worker of the queue `sound` does without a broker."""

import os
import signal
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path

from models.vault import Vault
from pipeline.database.connecting import connect
from pipeline.runtime.runtime import utc_now
from pipeline.sound.downloading import Limits
from pipeline.sound.extracting.extract import extract_next
from pipeline.sound.extracting.surroundings import Surroundings
from pipeline.sound.loudness.profiles import built_in
from pipeline.sound.media.ffmpeg import find_ffmpeg

PAUSE = 0.2


def main() -> None:
    """Extract in so many threads what is due, from a database that standard input names."""
    data_dir, threads = Path(sys.argv[1]), int(sys.argv[2])
    ends = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ends.set())
    around = Surroundings(
        engine=connect(sys.stdin.readline().strip()),
        data_dir=data_dir,
        clock=utc_now,
        vault=lambda: Vault.open(data_dir / "secret.key"),
        ffmpeg=find_ffmpeg,
        profiles=built_in(),
        pause=timedelta(0),
        limits=Limits(keep_free=0),
        is_stopping=ends.is_set,
    )

    def work() -> None:
        while not ends.is_set():
            try:
                extracted = extract_next(around)
            except Exception as error:  # noqa: BLE001 - the servers are away, and come back
                sys.stderr.write(f"{type(error).__name__}: {error}\n")
                extracted = None
            if extracted is None:
                # What is due may be another's at the moment.
                time.sleep(PAUSE)

    def end_with_the_campaign() -> None:
        sys.stdin.read()
        os._exit(1)

    threading.Thread(target=end_with_the_campaign, daemon=True).start()
    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


if __name__ == "__main__":
    main()
