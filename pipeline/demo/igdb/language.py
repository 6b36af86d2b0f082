"""APICalypse, as far as it is used: text becomes a query. https://api-docs.igdb.com/#apicalypse."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from models.errors import LootwireError

MOST_ROWS = 500
MOST_QUERIES = 10
_TOKEN = re.compile(
    r"""\s+|//[^\n]*|"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?|[A-Za-z_]\w*(?:\.\w+)*(?:\.\*)?|>=|<=|!=|!~|[=<>~&|!;(),{}\[\]*]""",
    re.DOTALL,
)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_OPENING = {"(": ")", "[": "]", "{": "}"}


class BadQuery(LootwireError):
    """The query is answered with a 400."""

    def __init__(self, cause: str, title: str = "Syntax Error") -> None:
        super().__init__(cause)
        self.cause = cause
        self.title = title

    def body(self) -> list[dict[str, Any]]:
        """Return IGDB's answer to such a query: a list."""
        return [{"title": self.title, "status": 400, "cause": self.cause}]


@dataclass(frozen=True)
class Text:
    """A text to compare with; `before` and `after` tell where a `*` stands."""

    text: str
    before: bool = False
    after: bool = False


@dataclass(frozen=True)
class Several:
    """A list to compare with: `(` any of it, `[` all of it, `{` exactly it; each may be negated by `!`."""

    bracket: str
    values: tuple[Any, ...]
    negated: bool = False


@dataclass(frozen=True)
class Condition:
    field: str
    operator: str
    value: Any


@dataclass(frozen=True)
class Both:
    """All parts hold."""

    parts: tuple["Where", ...]


@dataclass(frozen=True)
class Either:
    """At least one part holds."""

    parts: tuple["Where", ...]


Where = Condition | Both | Either


@dataclass
class Query:
    fields: Sequence[str] = ()
    exclude: Sequence[str] = ()
    where: Where | None = None
    sort: tuple[str, bool] | None = None
    limit: int = 10
    offset: int = 0
    search: str | None = None


def parse(text: str) -> Query:
    """Return the query that a body is; raises `BadQuery`."""
    return _Parser(text).query()


def parse_multi(text: str) -> list[tuple[str, str, Query]]:
    """Return the queries of a multiquery: endpoint, name and query of each; raises `BadQuery`."""
    return _Parser(text).queries()


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._at = 0

    def query(self) -> Query:
        query = self._body()
        if self._at < len(self._tokens):
            raise BadQuery(f"Missing `;` at end of query, unexpected {self._peek()!r}")
        return query

    def queries(self) -> list[tuple[str, str, Query]]:
        queries = []
        while self._at < len(self._tokens):
            self._expect("query")
            endpoint = self._name()
            if self._peek() == "/":
                self._at += 1
                endpoint += "/" + self._name()
            name = self._string()
            self._expect("{")
            query = self._body()
            self._expect("}")
            if self._peek() == ";":
                self._at += 1
            queries.append((endpoint, name, query))
        if not 1 <= len(queries) <= MOST_QUERIES:
            raise BadQuery(f"A multi query holds 1 to {MOST_QUERIES} queries")
        return queries

    def _body(self) -> Query:
        query = Query()
        clauses: dict[str, Callable[[Query], None]] = {
            "fields": self._fields,
            "exclude": self._exclude,
            "where": self._where,
            "sort": self._sort,
            "limit": self._limit,
            "offset": self._offset,
            "search": self._search,
        }
        while self._at < len(self._tokens) and self._peek() != "}":
            word = self._next()
            if word not in clauses:
                raise BadQuery(f"Unexpected {word!r}")
            clauses[word](query)
            if self._at < len(self._tokens):
                self._expect(";")
        if query.search is not None and query.sort is not None:
            raise BadQuery("search and sort cannot be combined", "Invalid query")
        return query

    def _fields(self, query: Query) -> None:
        query.fields = self._names()

    def _exclude(self, query: Query) -> None:
        query.exclude = self._names()

    def _where(self, query: Query) -> None:
        query.where = self._either()

    def _sort(self, query: Query) -> None:
        name = self._name()
        order = self._next() if self._peek() in {"asc", "desc"} else "asc"
        query.sort = name, order == "desc"

    def _limit(self, query: Query) -> None:
        query.limit = self._count()
        if query.limit > MOST_ROWS:
            raise BadQuery(f"The limit is at most {MOST_ROWS}", "Invalid limit")

    def _offset(self, query: Query) -> None:
        query.offset = self._count()

    def _search(self, query: Query) -> None:
        query.search = self._string()

    def _either(self) -> Where:
        parts = [self._both()]
        while self._peek() == "|":
            self._at += 1
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else Either(tuple(parts))

    def _both(self) -> Where:
        parts = [self._unit()]
        while self._peek() == "&":
            self._at += 1
            parts.append(self._unit())
        return parts[0] if len(parts) == 1 else Both(tuple(parts))

    def _unit(self) -> Where:
        if self._peek() != "(":
            return self._condition()
        self._at += 1
        inner = self._either()
        self._expect(")")
        return inner

    def _condition(self) -> Condition:
        field, operator = self._name(), self._next()
        if operator not in {"=", "!=", ">", ">=", "<", "<=", "~", "!~"}:
            raise BadQuery(f"Expecting an operator, found {operator!r}")
        return Condition(field, operator, self._value())

    def _value(self) -> Any:
        if negated := self._peek() == "!":
            self._at += 1
        lexeme = self._next()
        if lexeme in _OPENING:
            values = [self._value()]
            while self._peek() == ",":
                self._at += 1
                values.append(self._value())
            self._expect(_OPENING[lexeme])
            return Several(lexeme, tuple(values), negated)
        if negated:
            raise BadQuery("Expecting a list after `!`")
        if lexeme == "*" or lexeme.startswith('"'):
            return self._text(lexeme)
        if lexeme in {"null", "n"}:
            return None
        if lexeme in {"true", "false"}:
            return lexeme == "true"
        if lexeme[-1].isdigit():
            return float(lexeme) if "." in lexeme else int(lexeme)
        raise BadQuery(f"Expecting a STRING as input, surround your input with quotes starting at '{lexeme}'")

    def _text(self, lexeme: str) -> Text:
        before = lexeme == "*"
        text = self._string() if before else _unquoted(lexeme)
        after = self._peek() == "*"
        self._at += after
        return Text(text, before, after)

    def _names(self) -> Sequence[str]:
        names = [self._name()]
        while self._peek() == ",":
            self._at += 1
            names.append(self._name())
        return names

    def _name(self) -> str:
        lexeme = self._next()
        if lexeme != "*" and not (lexeme[0].isalpha() or lexeme[0] == "_"):
            raise BadQuery(f"Expecting a field name, found {lexeme!r}")
        return lexeme

    def _count(self) -> int:
        lexeme = self._next()
        if not lexeme.isdecimal():
            raise BadQuery(f"Expecting a number, found {lexeme!r}")
        return int(lexeme)

    def _string(self) -> str:
        lexeme = self._next()
        if not lexeme.startswith('"'):
            raise BadQuery(f"Expecting a STRING as input, surround your input with quotes starting at '{lexeme}'")
        return _unquoted(lexeme)

    def _expect(self, wanted: str) -> None:
        lexeme = self._next()
        if lexeme != wanted:
            raise BadQuery(f"Missing `{wanted}`, found {lexeme!r}")

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _next(self) -> str:
        if self._at >= len(self._tokens):
            raise BadQuery("Unexpected end of query")
        self._at += 1
        return self._tokens[self._at - 1]


def _tokens(text: str) -> Sequence[str]:
    tokens, at = [], 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            # Between an endpoint and `count`; everywhere else it is an error that the parser finds.
            if text[at] != "/":
                raise BadQuery(f"Unexpected input starting at {text[at : at + 20]!r}")
            tokens.append("/")
            at += 1
            continue
        if not match[0].isspace() and not match[0].startswith("//"):
            tokens.append(match[0])
        at = match.end()
    return tokens


def _unquoted(lexeme: str) -> str:
    return _ESCAPED.sub(r"\1", lexeme[1:-1])
