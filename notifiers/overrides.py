"""Words of an operator's own: templates in a folder that take the place of the house's, for a target and a kind.

A template runs sandboxed, for a moment, and writes no more than a message may have. Whatever it does wrong, the house's
own message is sent instead, and the reason is said.
"""

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined, TemplateSyntaxError, pass_eval_context
from jinja2.exceptions import SecurityError
from jinja2.filters import do_join
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from models.errors import UsageError
from models.events import EventKind
from notifiers.escape import clean, escape_markdown
from notifiers.reader import Reader
from notifiers.render import (
    AGAIN_NOTE,
    SUFFIXES,
    TEMPLATES,
    Foot,
    Format,
    Limits,
    Message,
    Shape,
    clean_html,
    lines_within,
    mail_around,
)
from notifiers.view import EventText, Extent, headline, view_entry, view_event, view_groups
from notifiers.webhook import hook_fields

SOURCE_BYTES = 16_000
SECONDS = 1.0
# No text that a template makes on its way may be longer, no list that it multiplies, and no range.
TEXT_LENGTH, LIST_LENGTH = 20_000, 1_000
TITLE, SEVERAL, ANY = "title", "several", "any"
PARTS = (TITLE, *SUFFIXES.values())
# Under this name Jinja compiles what is in no file of its loader.
_TEMPLATE = "<template>"
_SHOWN = Extent(30, description=True)
# They make a text of any length of a short one.
_UNBOUNDED = frozenset(
    {"center", "ljust", "rjust", "zfill", "expandtabs", "format", "format_map", "join", "replace", "translate"}
)
_FILTERS = frozenset({"center", "format", "indent", "replace", "wordwrap", "xmlattr", "batch", "slice", "pprint"})


class TemplateError(UsageError):
    """A template cannot be used; its text names the file and says why."""


@dataclass(frozen=True)
class TemplateFile:
    """A template: its file, and what it is for."""

    path: Path
    target: str | None
    kind: str
    part: str


@dataclass(frozen=True)
class Parts:
    """What a message is made of, for those who change parts of it."""

    events: Sequence[EventText]
    limits: Limits
    reader: Reader
    foot: Foot
    again: bool


def overridden(message: Message, form: Format, parts: Parts, folder: Path) -> tuple[Message, str | None]:
    """Return a message with what the templates in a folder say in its place, and what is wrong with one of them.

    `form` is the format that the target gets. What is wrong is None where nothing is.
    """
    try:
        title = _written(message, TITLE, form, parts, folder)
        body = _written(message, SUFFIXES[form], form, parts, folder)
    except TemplateError as error:
        return message, str(error)
    if title is not None:
        message = replace(message, title=clean(title, parts.limits.title) or message.title)
    if body is not None:
        # Embeds and blocks would say what the template does not; a web hook goes on getting the events.
        message = replace(message, payload=message.payload if parts.limits.shape is Shape.EVENTS else None)
        message = _with_body(message, form, body)
    return message, None


def _with_body(message: Message, form: Format, body: str) -> Message:
    match form:
        case Format.HTML:
            return replace(message, html=body)
        case Format.MARKDOWN:
            return replace(message, markdown=body)
        case _:
            return replace(message, text=body)


def find(folder: Path, target: str | None, kind: str, part: str) -> TemplateFile | None:
    """Return the template for a part of a message: the target's own before everybody's, the kind before its family.

    `kind` is that of its event, or `several`.
    """
    for owner in (target, None):
        for name in dict.fromkeys((kind, f"{kind.partition('.')[0]}.any" if "." in kind else kind, ANY)):
            # A digest has no words of a single event.
            if name == ANY and kind == SEVERAL:
                continue
            path = (folder / owner if owner else folder) / f"{name}.{part}.j2"
            if path.is_file():
                return TemplateFile(path, owner, name, part)
    return None


def find_all(folder: Path) -> tuple[list[TemplateFile], list[str]]:
    """Return all templates in a folder, by their names, and what is wrong with each file that is called otherwise."""
    files: list[TemplateFile] = []
    strays: list[str] = []
    for path in template_paths(folder):
        try:
            files.append(template_of(path, folder))
        except TemplateError as error:
            strays.append(str(error))
    return files, strays


def template_paths(folder: Path) -> list[Path]:
    """Return the files in a folder that may be templates, by their names."""
    return sorted(folder.rglob("*.j2"))


def template_of(path: Path, folder: Path) -> TemplateFile:
    """Return what the template in a file is for; raises TemplateError where it is not called as templates are."""
    kind, part = kind_and_part(path)
    target = None if path.parent == folder else path.parent.name
    if part not in PARTS or not is_kind(kind) or path.parent not in {folder, folder / (target or "")}:
        raise TemplateError(
            f"{path.relative_to(folder)} is not called as templates are: [TARGET/]KIND.PART.j2, where KIND is a "
            f"kind (campaign.added), a family (campaign.any), any or {SEVERAL}, and PART one of {', '.join(PARTS)}"
        )
    return TemplateFile(path, target, kind, part)


def kind_and_part(path: Path) -> tuple[str, str]:
    """Return what stands in a file's name where templates have their kind and their part."""
    kind, _, part = path.name.removesuffix(".j2").rpartition(".")
    return kind, part


def is_kind(name: str) -> bool:
    """Return whether a template can be for this: a kind, a family, any event, or several."""
    families = {f"{kind.family}.any" for kind in EventKind}
    return name in set(EventKind) | families | {ANY, SEVERAL}


def write(file: TemplateFile, message: Message, form: Format, parts: Parts) -> str:
    """Return what a template makes of a message in a format; raises TemplateError, which names the file and the line.

    A title has no format: it is plain text.
    """
    suffix = "txt" if file.part == TITLE else SUFFIXES[form]
    try:
        source = _source(file.path)
        with _deadline(SECONDS):
            template = _environment(suffix).from_string(source)
            values = _values(message.title if file.part == TITLE else message.body(form), message, suffix, parts)
            written = _bounded(template.generate(**values), _most(suffix, parts.limits))
    except TemplateSyntaxError as error:
        raise TemplateError(f"{_name(file)}, line {error.lineno}: {error.message}") from error
    except Exception as error:
        reason = clean(str(error), 160) or type(error).__name__
        raise TemplateError(f"{_name(file)}{_line_of(error)}: {reason}") from error
    if not written.strip():
        raise TemplateError(f"{_name(file)}: it writes nothing")
    return written.strip()


def _written(message: Message, part: str, form: Format, parts: Parts, folder: Path) -> str | None:
    kind = parts.events[0].kind if len(parts.events) == 1 else SEVERAL
    file = find(folder, parts.foot.target if parts.foot.is_owners else None, kind, part)
    if file is None:
        return None
    written = write(file, message, form, parts)
    if part == TITLE:
        return written
    return _fitting(file, written, form, parts.limits)


def _fitting(file: TemplateFile, written: str, form: Format, limits: Limits) -> str:
    """Return a body as safe and as short as it has to be; HTML that is too long has no lines to leave out."""
    if form is not Format.HTML:
        return lines_within(written, form, limits)
    html = clean_html(written, is_mail=limits.pictures)
    html = mail_around(html) if limits.pictures else html
    if len(html) > limits.html:
        raise TemplateError(
            f"{_name(file)}: it writes {len(html)} characters of HTML, and the target takes {limits.html}"
        )
    return html


def _most(suffix: str, limits: Limits) -> int:
    # What is longer is cut at a line; what is much longer is a mistake.
    return 4 * (limits.html if suffix == "html" else limits.body)


def _bounded(pieces: Iterator[str], most: int) -> str:
    written: list[str] = []
    length = 0
    for piece in pieces:
        # A piece of HTML added to a text would escape it.
        written.append(piece)
        length += len(piece)
        if length > most:
            raise SecurityError(f"it writes more than {most} characters")
    return "".join(written)


def _values(house: str, message: Message, suffix: str, parts: Parts) -> dict[str, Any]:
    """Return what a template can say; docs/templates.md lists it. `house` is what it stands for."""
    fields = hook_fields(parts.events, parts.foot.target)["events"]
    # Where the house lists rewards with their pictures, the lists of drops do not say them again.
    is_apart = suffix == "html" and (parts.limits.pictures or parts.limits.shape is Shape.CHAT)
    pairs = zip(parts.events, fields, strict=True)
    events = [_event(event, each, parts.reader, is_apart=is_apart) for event, each in pairs]
    return {
        "event": events[0],
        "events": events,
        "title": message.title,
        "house": Markup(house) if suffix == "html" else _Ready(house),  # noqa: S704  it is escaped already
        "target": clean(parts.foot.target, 80),
        "again": AGAIN_NOTE if parts.again else "",
        "foot": {
            "because": parts.foot.because,
            "silencing": parts.foot.silencing,
            "unsubscribe": parts.foot.unsubscribe,
        },
        "moment": lambda written: parts.reader.moment(datetime.fromisoformat(written)) if written else "",
        # What the house's own templates say beside that, so that a copy of one is a template as well.
        "pictures": parts.limits.pictures,
        "entries": [view_entry(event, parts.reader) for event in parts.events],
        "groups": view_groups(parts.events, parts.reader),
        "more": 0,
        "rest": "",
    }


def _event(event: EventText, fields: Mapping[str, Any], reader: Reader, *, is_apart: bool) -> dict[str, Any]:
    view = view_event(event, _SHOWN, reader)
    view = view.with_rewards_apart() if is_apart else view
    return {
        **fields["event"],
        **vars(view),
        "art_width": view.art_width,
        "title": headline([event], 200, reader),
        "subjects": _lenient(fields["subjects"]),
        "detail": _lenient(fields["detail"]),
        "rules": fields["reason"]["subscriptions"],
    }


class _Lenient(dict[str, Any]):
    """JSON whose missing fields are empty: a detail has those that are not."""

    def __missing__(self, key: str) -> None:
        return None


def _lenient(value: Any) -> Any:
    if isinstance(value, dict):
        return _Lenient({name: _lenient(each) for name, each in value.items()})
    return [_lenient(each) for each in value] if isinstance(value, list) else value


class _Ready(str):
    """Text of ours that is escaped already, or an address, which has nothing to escape."""

    __slots__ = ()


class _Sandbox(ImmutableSandboxedEnvironment):
    """Jinja's sandbox, in which nothing makes much of little."""

    intercepted_binops = frozenset({"*", "**", "%"})

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        return attr not in _UNBOUNDED and super().is_safe_attribute(obj, attr, value)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator != "*" and (operator == "**" or isinstance(left, str)):
            raise SecurityError(f"{operator} is not allowed here")
        of_numbers = isinstance(left, int | float) and isinstance(right, int | float)
        if operator == "*" and not of_numbers and _count(left) * _count(right) > LIST_LENGTH:
            raise SecurityError(f"it makes something of more than {LIST_LENGTH} parts")
        return super().call_binop(context, operator, left, right)


def _count(value: Any) -> int:
    return abs(int(value)) if isinstance(value, int | float) else len(value)


def _range(*bounds: int) -> range:
    if len(numbers := range(*bounds)) > LIST_LENGTH:
        raise SecurityError(f"it counts to more than {LIST_LENGTH}")
    return numbers


@pass_eval_context
def _join(context: Any, values: Any, separator: str = "", attribute: Any = None) -> Any:
    values = list(values)
    if sum(len(str(value)) + len(separator) for value in values) > TEXT_LENGTH:
        raise SecurityError(f"it writes more than {TEXT_LENGTH} characters")
    return do_join(context, values, separator, attribute)


def _environment(suffix: str) -> _Sandbox:
    environment = _Sandbox(
        # For what the house's own templates include.
        loader=FileSystemLoader(TEMPLATES),
        autoescape=suffix == "html",
        finalize=_finalize(suffix),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for name in _FILTERS:
        environment.filters.pop(name, None)
    # A namespace would hide how long a text in it grows.
    environment.globals = {"range": _range}
    environment.filters["join"] = _join
    environment.filters["url"] = _Ready
    return environment


def _finalize(suffix: str) -> Callable[[Any], Any]:
    """Return what is done with each value that a template prints; what a field does not hold is nothing."""
    if suffix != "md":
        return lambda value: "" if value is None else value
    return lambda value: value if isinstance(value, _Ready) else "" if value is None else escape_markdown(str(value))


@contextmanager
def _deadline(seconds: float) -> Iterator[None]:
    """Raise SecurityError in what works for longer, or makes a long text, at its next line.

    Nothing else ends a loop in a thread. Seconds in which a busy machine did something else do not count.
    """
    until = time.thread_time() + seconds

    def watch(frame: FrameType, _what: str, _argument: Any) -> Any:
        if time.thread_time() > until:
            raise SecurityError(f"it takes longer than {seconds:g} s")
        if frame.f_code.co_filename != _TEMPLATE:
            # What a template calls ends by itself.
            return None
        if any(isinstance(value, str) and len(value) > TEXT_LENGTH for value in frame.f_locals.values()):
            raise SecurityError(f"it makes a text of more than {TEXT_LENGTH} characters")
        return watch

    before = sys.gettrace()
    sys.settrace(watch)
    try:
        yield
    finally:
        sys.settrace(before)


def _source(path: Path) -> str:
    if not path.is_file():
        # A named pipe would be waited for.
        raise ValueError("it is no file")
    with path.open("rb") as file:
        source = file.read(SOURCE_BYTES + 1)
    if len(source) > SOURCE_BYTES:
        raise ValueError(f"it is longer than {SOURCE_BYTES} bytes")
    return source.decode()


def _name(file: TemplateFile) -> str:
    return f"template {file.target}/{file.path.name}" if file.target else f"template {file.path.name}"


def _line_of(error: Exception) -> str:
    """Return where in a template an error came from: Jinja gives its frames the lines of the template."""
    lines = []
    traceback = error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == _TEMPLATE:
            lines.append(traceback.tb_lineno)
        traceback = traceback.tb_next
    return f", line {lines[-1]}" if lines else ""
