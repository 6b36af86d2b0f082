"""How pages look: the house's templates and stylesheets, and an operator's own in a folder, which take their place.

An own template runs sandboxed and writes no more than a page may have. Whatever it does wrong, the house's is used
instead, and the reason is kept with the file and the line.
"""

import hashlib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from feeds.sanitise import one_line
from feeds.templating import ASSETS, TEMPLATES, template, with_filters
from models.errors import LootwireError

if TYPE_CHECKING:
    from jinja2.sandbox import ImmutableSandboxedEnvironment

SOURCE_BYTES = 64_000
STYLE_BYTES = 256_000
# A page of the house has a tenth of it.
PAGE_LENGTH = 2_000_000
STYLES = ("style.css", "channel.css", "feed.css")
# Templates of feeds' entries are no pages: an entry that changed would come again in every reader.
NOT_PAGES = frozenset({"item.html.j2", "stream.html.j2", "release.html.j2"})


class LookError(LootwireError):
    """A template or a stylesheet of a person's own cannot be used; its text names the file and says why."""


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
        self._is_own_base = bool({"base.html.j2", "parts.html.j2"} & self._own.keys())

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
        if self._environment is not None and (self._is_own_base or name in self._own) and name not in self.problems:
            try:
                return self.render_own(name, **values)
            except LookError as error:
                self.problems[name] = str(error)
        return template(name).render(**values).encode()

    def render_own(self, name: str, /, **values: Any) -> bytes:
        """Return what a template makes of the values; raises LookError, which names the file and the line."""
        from jinja2 import TemplateSyntaxError

        if self._environment is None:
            return template(name).render(**values).encode()
        try:
            return _bounded(self._environment.get_template(name).generate(**values)).encode()
        except TemplateSyntaxError as error:
            raise LookError(f"{error.name or name}, line {error.lineno}: {error.message}") from error
        except Exception as error:
            raise LookError(f"{_place(error, name)}: {one_line(str(error), 200) or type(error).__name__}") from error

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


def _sandbox(own: dict[str, str]) -> "ImmutableSandboxedEnvironment":
    from jinja2 import DictLoader, FileSystemLoader, PrefixLoader, StrictUndefined
    from jinja2.loaders import ChoiceLoader
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(
        # `house/` reaches what a file of one's own stands for: `{% extends "house/game.html.j2" %}`.
        loader=ChoiceLoader(
            [DictLoader(own), FileSystemLoader(TEMPLATES), PrefixLoader({"house": FileSystemLoader(TEMPLATES)})]
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


def _place(error: Exception, name: str) -> str:
    """Return the file and the line that an error came from: Jinja gives its frames the lines of the template."""
    place = name
    traceback = error.__traceback__
    while traceback is not None:
        file = traceback.tb_frame.f_code.co_filename
        if file == "<template>" or file.endswith(".j2"):
            named = traceback.tb_frame.f_globals.get("name") or name
            place = f"{named}, line {traceback.tb_lineno}"
        traceback = traceback.tb_next
    return place


HOUSE = Look()
