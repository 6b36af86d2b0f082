"""How pages look: the house's templates and stylesheets, and an operator's own in a folder, which take their place.

An own template runs sandboxed, writes no more than a page may have and takes no longer than one may take. Whatever it
does wrong, the house's is used instead, and the reason is kept with the file and the line.
"""

import hashlib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from feeds.sanitise import one_line
from feeds.templating import ASSETS, TEMPLATES, template, with_filters
from models.errors import LootwireError

if TYPE_CHECKING:
    from feeds.sandbox import TimedSandbox

SOURCE_BYTES = 64_000
STYLE_BYTES = 256_000
# A page of the house has a tenth of it.
PAGE_LENGTH = 2_000_000
# Of the processor; the largest page takes a tenth of one.
PAGE_SECONDS = 2
# What every page is made of.
_SHARED = frozenset({"base.html.j2", "parts.html.j2"})
STYLES = ("style.css", "channel.css", "feed.css")
# Templates of feeds' entries are no pages: an entry that changed would come again in every reader.
NOT_PAGES = frozenset({"item.html.j2", "stream.html.j2", "release.html.j2"})


class LookError(LootwireError):
    """A person's own template or stylesheet cannot be used; its text says why, and names the file, which is `name`."""

    def __init__(self, message: str, name: str = "") -> None:
        super().__init__(message)
        self.name = name


class Look:
    """The templates and stylesheets that pages are made of.

    `folder` holds a person's own, called as the house's are; without one, or where it is empty, it is the house's look.
    `problems` are what was wrong with own files so far, by their names.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder
        self.problems: dict[str, str] = {}
        self._own: dict[str, str] = {}
        self._styles: dict[str, bytes] = {}
        for path in _own_files(folder):
            try:
                self._take(path)
            except LookError as error:
                self.problems[path.name] = str(error)
        self._environment = _sandbox(self._own) if self._own else None
        # With a base of one's own every page is one's own.
        self._is_own_base = bool(_SHARED & self._own.keys())

    def __reduce__(self) -> tuple[type["Look"], tuple[Path | None]]:
        """Have another process read the folder itself."""
        return type(self), (self.folder,)

    @property
    def digest(self) -> str:
        """A digest of the person's own files: another one means that every page is to be written anew."""
        parts = [f"{name}\0{text}" for name, text in sorted(self._own.items())]
        styles = [name.encode() + b"\0" + data for name, data in sorted(self._styles.items())]
        return hashlib.blake2b("\0".join(parts).encode() + b"\0".join(styles), digest_size=8).hexdigest()

    def render(self, name: str, /, **values: Any) -> bytes:
        """Return what a template makes of the values, by the house's own where the person's cannot be used."""
        # What every page is made of is not tried again on every page.
        broken = _SHARED & self.problems.keys() or {name} & self.problems.keys()
        if self._environment is not None and (self._is_own_base or name in self._own) and not broken:
            try:
                return self.render_own(name, **values)
            except LookError as error:
                self.problems[error.name or name] = str(error)
        return template(name).render(**values).encode()

    def render_own(self, name: str, /, **values: Any) -> bytes:
        """Return what a template makes of the values; raises LookError, which names the file and the line."""
        if self._environment is None:
            return template(name).render(**values).encode()
        self._environment.give(PAGE_SECONDS)
        try:
            return _bounded(self._environment.get_template(name).generate(**values)).encode()
        except Exception as error:
            raise _as_ours(error, name) from error

    @property
    def own_styles(self) -> Mapping[str, bytes]:
        """The person's own stylesheets, by their names."""
        return self._styles

    def asset(self, name: str) -> bytes:
        """Return a file that pages need: the person's own stylesheet, or the house's file."""
        return self._styles.get(name) or (ASSETS / name).read_bytes()

    def _take(self, path: Path) -> None:
        if path.name in STYLES:
            self._styles[path.name] = _read(path, STYLE_BYTES).encode()
        elif path.name in names_of_templates():
            self._own[path.name] = _read(path, SOURCE_BYTES)
        else:
            raise LookError(
                f"{path.name}: no template or stylesheet of pages is called so; there are "
                f"{', '.join([*STYLES, *sorted(names_of_templates())])}"
            )


@lru_cache
def names_of_templates() -> frozenset[str]:
    """Return the names of the templates that a person may replace."""
    return frozenset(path.name for path in TEMPLATES.glob("*.html.j2")) - NOT_PAGES


def names_of_own(folder: Path | None) -> list[str]:
    """Return the names of the files in a folder that may be templates or stylesheets of pages."""
    return [path.name for path in _own_files(folder)]


def _own_files(folder: Path | None) -> list[Path]:
    if folder is None or not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.suffix in {".j2", ".css"} and not path.name.startswith("."))


def _read(path: Path, most: int) -> str:
    if not path.is_file():
        # A named pipe would be waited for.
        raise LookError(f"{path.name} is no file")
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
        text = data.decode()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise LookError(f"{path.name}: {reason}") from error
    if len(data) > most:
        raise LookError(f"{path.name} is longer than {most} bytes")
    return text


def _sandbox(own: dict[str, str]) -> "TimedSandbox":
    from jinja2 import FileSystemLoader, FunctionLoader, PrefixLoader, StrictUndefined
    from jinja2.loaders import ChoiceLoader

    from feeds.sandbox import TimedSandbox

    def load(name: str) -> tuple[str, str, None] | None:
        # With a file name the frames of an error say whose they are.
        return (own[name], name, None) if name in own else None

    environment = TimedSandbox(
        # `house/` reaches what a file of one's own stands for: `{% extends "house/game.html.j2" %}`.
        loader=ChoiceLoader(
            [FunctionLoader(load), FileSystemLoader(TEMPLATES), PrefixLoader({"house": FileSystemLoader(TEMPLATES)})]
        ),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    with_filters(environment)
    return environment


def _bounded(pieces: Iterator[str]) -> str:
    written: list[str] = []
    length = 0
    for piece in pieces:
        written.append(piece)
        length += len(piece)
        if length > PAGE_LENGTH:
            raise LookError(f"it writes more than {PAGE_LENGTH} characters")
    return "".join(written)


def _as_ours(error: Exception, name: str) -> LookError:
    """Return an error with the person's file and the line that it came from; `name` is the page's template."""
    from jinja2 import TemplateSyntaxError

    if isinstance(error, TemplateSyntaxError):
        at, line, reason = error.name or name, str(error.lineno), error.message or ""
    else:
        at, line = _place(error, name)
        reason = one_line(str(error), 200) or type(error).__name__
    return LookError(f"{at}, line {line}: {reason}" if line else f"{at}: {reason}", at.removeprefix("house/"))


def _place(error: Exception, name: str) -> tuple[str, str]:
    """Return the template and the line that an error came from: Jinja gives its frames the lines of the template.

    That is the innermost of the person's own; the house's are known by their whole path.
    """
    own = house = (name, "")
    traceback = error.__traceback__
    while traceback is not None:
        file, line = traceback.tb_frame.f_code.co_filename, str(traceback.tb_lineno)
        if file.startswith(f"{TEMPLATES}/"):
            house = (f"house/{Path(file).name}", line)
        elif file.endswith(".j2"):
            own = (file, line)
        traceback = traceback.tb_next
    return own if own[1] else house


HOUSE = Look()
