"""The program that fetches: it alone imports yt-dlp, which reads hostile pages and changes every month.

It is asked one `wire.Request` by a line on its standard input, says what happens by lines on its standard output, and
ends with all that it started when its input does: whoever asked is gone then.
"""

import importlib.util
import os
import resource
import signal
import sys
import threading
from contextlib import suppress
from typing import IO

import msgspec

from pipeline.sound.downloading import wire
from pipeline.sound.downloading.guard import Guard
from pipeline.sound.troubles import Failure

# Beyond this a page, or what unpacks to one, is no page: enough for V8, which deno brings.
MEMORY = 3 * 2**30


def main() -> None:
    """Do what one line of standard input asks."""
    request = msgspec.json.decode(sys.stdin.buffer.readline(), type=wire.Request)
    # Whatever prints, yt-dlp or a library, prints nowhere.
    speech = os.fdopen(os.dup(1), "wb", buffering=0)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    os.umask(0o077)
    os.chdir(request.workspace)
    if request.extractors is not None:
        sys.path.insert(0, request.extractors)
    if importlib.util.find_spec("yt_dlp") is None:
        _say(speech, wire.Failed(failure=Failure(names=(), text=_MISSING, kind="tool")))
        return
    guard = Guard(request.loopback_ports, [request.deno] if request.deno else [])
    guard.install()
    try:
        # Only now: nothing of it runs without the guard.
        from pipeline.sound.downloading.attempt import Attempt
    except Exception as error:  # noqa: BLE001 - a newer yt-dlp may raise anything
        text = f"this yt-dlp cannot be loaded ({type(error).__name__})"
        _say(speech, wire.Failed(failure=Failure(names=(), text=text, kind="tool")))
        return
    attempt = Attempt(request, lambda message: _say(speech, message))
    try:
        _say(speech, attempt.run())
    except BaseException as error:  # noqa: BLE001 - whatever it is, the parent decides what it means
        _say(speech, wire.Failed(failure=attempt.failure(error, guard), media=attempt.media))


_MISSING = "yt-dlp is missing: uv sync without --no-group sound installs it"


def _say(speech: IO[bytes], message: wire.Message) -> None:
    speech.write(msgspec.json.encode(message) + b"\n")


def _end_with_the_parent() -> None:
    """Wait for the end of standard input, and kill this process and those that it started."""
    with suppress(OSError):
        while os.read(0, 1024):
            pass
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


if __name__ == "__main__":
    main()
