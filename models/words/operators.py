"""The words of what is wrong with an installation, of its end, and of the heartbeat. Pure."""

from collections.abc import Iterator

from models.details import OperatorDetail
from models.events import EventKind
from models.words.kinds import Fact, FamilyWords, KindWords, Written
from models.words.units import counted_plainly, length


def _of_dead(detail: OperatorDetail) -> str:
    return f"Messages to {detail.name or 'a target'} are given up{_reason(detail)}"


def _of_stalled(detail: OperatorDetail) -> str:
    return f"{detail.name or 'A program'} stands still{_reason(detail)}"


def _of_publishing(detail: OperatorDetail) -> str:
    return f"{detail.name or 'Feeds'} cannot be written{_reason(detail)}"


def _of_full_disk(detail: OperatorDetail) -> str:
    return f"The disk of {detail.name or 'the data'} is {detail.reason or 'full'}"


def _of_read_only_disk(detail: OperatorDetail) -> str:
    return f"The disk of {detail.name or 'the data'} cannot be written{_reason(detail)}"


def _of_clock(detail: OperatorDetail) -> str:
    return f"{detail.name or 'The clock'} {detail.reason or 'jumped'}"


def _of_ping(detail: OperatorDetail) -> str:
    return f"{detail.name or 'The ping'} is not taken{_reason(detail)}"


_TROUBLES = {
    EventKind.OPERATOR_DELIVERIES_DEAD: ("Messages given up", "target that takes no messages", _of_dead),
    EventKind.OPERATOR_STALLED: ("Standing still", "program standing still", _of_stalled),
    EventKind.OPERATOR_PUBLISH_FAILED: ("Publishing failed", "failure to publish", _of_publishing),
    EventKind.OPERATOR_DISK_FULL: ("Disk full", "full disk", _of_full_disk),
    EventKind.OPERATOR_DISK_READ_ONLY: ("Disk read-only", "read-only disk", _of_read_only_disk),
    EventKind.OPERATOR_CLOCK_JUMPED: ("Clock jumped", "jump of the clock", _of_clock),
    EventKind.OPERATOR_PING_FAILED: ("Ping failed", "failing ping", _of_ping),
}
_PLURALS = {
    "target that takes no messages": "targets that take no messages",
    "program standing still": "programs standing still",
    "failure to publish": "failures to publish",
    "jump of the clock": "jumps of the clock",
}


def _title(kind: EventKind, detail: OperatorDetail) -> str:
    title = _TROUBLES[kind][2](detail)
    return f"Still: {title}" if detail.is_repeated else title


def _recovery(detail: OperatorDetail) -> str:
    words = _TROUBLES.get(EventKind(detail.trouble)) if detail.trouble in set(EventKind) else None
    return f"Over: {words[2](detail) if words else detail.name or 'a trouble'}"


def _heartbeat(detail: OperatorDetail) -> str:
    return f"{detail.name or 'Alive'}: {', '.join(_figures(detail))}"


def _figures(detail: OperatorDetail) -> Iterator[str]:
    healthy, total = detail.sources_healthy or 0, detail.sources_total or 0
    yield (
        f"{counted_plainly(healthy, 'source')} healthy" if healthy == total else f"{healthy} of {total} sources healthy"
    )
    yield f"{counted_plainly(detail.messages_sent or 0, 'message')} sent"
    oldest = detail.oldest_waiting_seconds
    yield f"oldest waiting {length(oldest) if oldest else '0'}"
    if detail.troubles:
        yield counted_plainly(len(detail.troubles), "trouble")


def _reason(detail: OperatorDetail) -> str:
    return f": {detail.reason}" if detail.reason else ""


def _message_facts(kind: str, _service: str | None, detail: OperatorDetail, written: Written) -> Iterator[Fact]:
    yield "Machine", detail.host
    yield "Since", written(detail.since) if detail.since else None
    if kind != EventKind.OPERATOR_HEARTBEAT:
        return
    yield "Due", written(detail.due_at) if detail.due_at else None
    yield (
        "Waiting",
        counted_plainly(detail.messages_waiting, "message") if detail.messages_waiting is not None else None,
    )
    yield "Given up", counted_plainly(detail.messages_dead, "message") if detail.messages_dead else None
    for trouble in detail.troubles:
        yield "Wrong", trouble


def _kind_words(kind: EventKind) -> KindWords[OperatorDetail]:
    label, singular, _ = _TROUBLES[kind]
    counted = (singular, _PLURALS.get(singular, f"{singular}s"))
    return KindWords(label, counted, lambda detail, _service: _title(kind, detail))


KINDS: dict[EventKind, KindWords[OperatorDetail]] = {
    **{kind: _kind_words(kind) for kind in _TROUBLES},
    EventKind.OPERATOR_RECOVERED: KindWords(
        "Over", ("trouble over", "troubles over"), lambda detail, _service: _recovery(detail)
    ),
    EventKind.OPERATOR_HEARTBEAT: KindWords(
        "Heartbeat", ("heartbeat", "heartbeats"), lambda detail, _service: _heartbeat(detail)
    ),
}
WORDS = FamilyWords(
    detail=OperatorDetail,
    kinds=KINDS,
    names=lambda _detail: (),
    feed_summary=lambda _kind, _detail: (),
    message_facts=_message_facts,
)
