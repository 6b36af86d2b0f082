"""The thread that reads the websocket: one session after the other, moved without a gap where Twitch asks for it."""

import logging
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Protocol

from models.errors import LootwireError
from pipeline.channels.eventsub.close_codes import AT_ONCE, Backoff, ending
from pipeline.channels.eventsub.intake import Unread
from pipeline.channels.eventsub.messages import Frame, Keepalive, Notification, Reconnect, Revocation
from pipeline.channels.eventsub.notifications import SHARD_DISABLED
from pipeline.channels.eventsub.session import CannotOpen, Session, SessionEnded, open_session, with_keepalive
from pipeline.channels.eventsub.timing import Timing

logger = logging.getLogger(__name__)
LOOK_EVERY = 0.25
# After the welcome of the new session Twitch sends no more to the old one; frames on their way arrive within this.
DRAIN = timedelta(seconds=5)
QUIET = 1.0


class Listener(Protocol):
    """The reader's caller, which gets the messages. Only `prepare` and `attach` may wait for long."""

    def prepare(self) -> None:
        """Make sure that there is something to attach a session to; raises `LootwireError`."""

    def attach(self, session_id: str) -> None:
        """Let messages come to this session; raises `LootwireError`."""

    def opened(self, *, anew: bool) -> None:
        """Messages come now. `anew`: some may have been missed before."""

    def failed(self, error: LootwireError, retry_in: timedelta) -> None:
        """No session could be had."""

    def take(self, message: Notification | Unread) -> None:
        """Take a message."""

    def revoked(self, revocation: Revocation) -> None:
        """Take the end of a subscription."""


class _Broken(LootwireError):
    """Another thread broke the session off; the text says why."""


class Reader:
    """Keeps a session open for as long as it may; `run` is the body of its thread."""

    def __init__(
        self,
        url: str,
        listener: Listener,
        may_read: Callable[[], bool],
        *,
        timing: Timing,
        backoff: Backoff | None = None,
    ) -> None:
        self._url = with_keepalive(url)
        self._listener = listener
        self._may_read = may_read
        self._timing = timing
        self._backoff = backoff or Backoff()
        self._ends = threading.Event()
        self._break: str | None = None
        # The session that messages come to, if any.
        self.session_id: str | None = None
        self.seen_at = time.monotonic()

    def end(self) -> None:
        """Let `run` return within a moment."""
        self._ends.set()

    def break_off(self, session_id: str | None, reason: str) -> None:
        """End a session, unless it has ended meanwhile, and begin another one."""
        if session_id is not None and session_id == self.session_id:
            self._break = reason

    def run(self) -> None:
        """Read until the end."""
        while not self._ends.is_set():
            self.seen_at = time.monotonic()
            if not self._may_read():
                self._ends.wait(LOOK_EVERY)
                continue
            self._ends.wait(self._one_session().total_seconds())

    def _one_session(self) -> timedelta:
        """Open a session and read it to its end; returns how long to wait before the next."""
        began = time.monotonic()
        wanted_pause: timedelta = AT_ONCE
        error: LootwireError | None = None
        try:
            self._listener.prepare()
            session = self._open(self._url)
            self._attach(session)
            self._read(session)
        except SessionEnded as ended:
            how = ending(ended.code)
            wanted_pause, error = how.pause, ended
            logger.log(logging.ERROR if how.is_fault else logging.INFO, "session ended: %s", ended)
        except LootwireError as other:
            logger.warning("no session: %s", other)
            wanted_pause, error = getattr(other, "retry_after", None) or AT_ONCE, other
        except Exception as bug:
            logger.exception("no session")
            error = LootwireError(f"the session failed: {type(bug).__name__}")
        was_well, self.session_id = self.session_id is not None, None
        pause = self._backoff.after(wanted_pause, timedelta(seconds=time.monotonic() - began))
        if error is not None and not was_well:
            self._listener.failed(error, pause)
        return pause

    def _open(self, url: str) -> Session:
        return open_session(url, self._set_aside, grace=self._timing.grace)

    def _attach(self, session: Session) -> None:
        try:
            self._listener.attach(session.id)
        except BaseException:
            session.close()
            raise
        self._break = None
        self.session_id = session.id
        logger.info("session open")
        self._listener.opened(anew=True)

    def _read(self, session: Session) -> None:
        """Read a session, and those that Twitch moves it to, until one ends or must not be read any more."""
        move: _Move | None = None
        current: Session | None = session
        try:
            while current is not None and self._goes_on():
                frame = self._receive(current, move)
                if isinstance(frame, Reconnect) and move is None:
                    move = _Move(frame.url, self._open)
                elif frame is not None:
                    self._take(frame)
                if move is not None and move.is_over:
                    old, current = current, None
                    current, move = self._moved(old, move), None
        finally:
            if current is not None:
                current.close()
            if move is not None:
                move.abandon()

    def _goes_on(self) -> bool:
        self.seen_at = time.monotonic()
        if self._break is not None:
            reason, self._break = self._break, None
            raise _Broken(reason)
        return self._may_read() and not self._ends.is_set()

    @staticmethod
    def _receive(session: Session, move: "_Move | None") -> Frame | None:
        try:
            return session.receive(LOOK_EVERY if move is None else LOOK_EVERY / 10)
        except SessionEnded:
            # The old one ended first: the one that replaces it may be there in a moment.
            if move is None or move.wait() is None:
                raise
            move.too_late = True
            return None

    def _moved(self, old: Session, move: "_Move") -> Session:
        """Go on with the new session; a thread reads the frames that are still on their way to the old one."""
        threading.Thread(target=self._drain, args=(old,), name="drain", daemon=True).start()
        new = move.wait()
        if new is None:
            raise SessionEnded(4007) from move.error
        logger.info("session moved to another server", extra={"gap": move.too_late})
        if new.id != self.session_id:
            # By Twitch's documentation the session is the same; where it is not, the shard must be attached anew.
            try:
                self._listener.attach(new.id)
            except BaseException:
                new.close()
                raise
            self.session_id = new.id
        self._listener.opened(anew=move.too_late)
        return new

    def _drain(self, old: Session) -> None:
        until = time.monotonic() + DRAIN.total_seconds()
        try:
            frame: Frame | None = Keepalive()
            while frame is not None and time.monotonic() < until:
                frame = old.receive(QUIET)
                if frame is not None:
                    self._take(frame)
        except SessionEnded:
            pass
        finally:
            old.close()

    def _take(self, frame: Frame) -> None:
        if isinstance(frame, Revocation):
            self._listener.revoked(frame)
        elif isinstance(frame, Notification):
            if (frame.type, frame.version) == SHARD_DISABLED:
                self._judge_disabled(frame)
            self._listener.take(frame)

    def _judge_disabled(self, notification: Notification) -> None:
        transport = notification.event.get("transport")
        session_id = transport.get("session_id") if isinstance(transport, dict) else None
        self.break_off(session_id, "Twitch has disabled our shard")

    def _set_aside(self, frame: str, reason: str) -> None:
        self._listener.take(Unread(frame, reason))


class _Move:
    """Opens the next session in a thread of its own, while the old one is still read."""

    def __init__(self, url: str, open_at: Callable[[str], Session]) -> None:
        self._session: Session | None = None
        self._abandoned = threading.Event()
        self.error: LootwireError | None = None
        # The old session ended before the new one was welcomed.
        self.too_late = False
        self._thread = threading.Thread(target=self._open, args=(url, open_at), name="move", daemon=True)
        self._thread.start()

    def abandon(self) -> None:
        """Close the new session, or let its thread close it: the reader needs it no more."""
        self._abandoned.set()
        if self.is_over and self._session is not None:
            self._session.close()

    @property
    def is_over(self) -> bool:
        """Whether opening the new session has succeeded or failed."""
        return not self._thread.is_alive()

    def wait(self) -> Session | None:
        """Return the session, None where there is none."""
        self._thread.join()
        return self._session

    def _open(self, url: str, open_at: Callable[[str], Session]) -> None:
        try:
            self._session = open_at(url)
            if self._abandoned.is_set():
                self._session.close()
        except (CannotOpen, SessionEnded) as error:
            logger.warning("the session could not be moved: %s", error)
            self.error = error
