"""Which column of a table says what, by its name in several languages or by a person's word. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, get_args

from models.errors import UsageError
from models.names import name_key, nearest
from models.printable import NAME_LENGTH, on_a_line
from pipeline.library.formats.marks import COLUMN
from pipeline.library.formats.table import Table

Field = Literal[
    "title",
    "platform",
    "year",
    "status",
    "rating",
    "hours",
    "minutes",
    "seconds",
    "started",
    "finished",
    "store",
    "ownership",
    "last_played",
    "acquired",
    "favourite",
    "tags",
    "notes",
    "series",
    "completion",
    "igdb_id",
    "igdb_slug",
    "steam_id",
    "gog_id",
    "list",
    "place",
]
FIELDS: tuple[Field, ...] = get_args(Field)
_NAMES: Mapping[Field, Sequence[str]] = {
    "title": (
        *("title", "name", "game", "game title", "game name", "video game", "videogame", "titel", "spiel", "spielname"),
        *("spieltitel", "name des spiels", "jeu", "titre", "nom", "nom du jeu", "juego", "título", "nombre", "gioco"),
        *("titolo", "nome", "jogo", "nome do jogo", "spel", "gra", "tytuł", "nazwa", "игра", "название", "タイトル"),
        *("ゲーム", "ゲーム名", "游戏", "名称", "게임"),
    ),
    "platform": (
        *("platform", "platforms", "console", "system", "played on", "device", "hardware", "plattform", "plattformen"),
        *("konsole", "plateforme", "plateformes", "support", "plataforma", "piattaforma", "platforma", "платформа"),
        *("機種", "プラットフォーム", "平台", "플랫폼"),
    ),
    "year": (
        *("year", "release year", "released", "release date", "release", "jahr", "erscheinungsjahr", "année"),
        *("date de sortie", "año", "lanzamiento", "anno", "ano", "rok", "год", "発売日", "発売年"),
    ),
    "status": (
        "status",
        "state",
        "completion status",
        "play status",
        "zustand",
        "statut",
        "état",
        "estado",
        "stato",
        "статус",
    ),
    "rating": (
        *("rating", "score", "my rating", "my score", "user rating", "user score", "stars", "rating /10", "rating /5"),
        *("score /10", "wertung", "bewertung", "punkte", "évaluation", "puntuación", "nota", "valutazione", "voto"),
        *(
            "avaliação",
            "ocena",
            "оценка",
            "評価",
            "rating (1-10)",
            "rating (1-5)",
            "rating out of 10",
            "rating out of 5",
        ),
    ),
    "hours": (
        *("hours", "hours played", "playtime", "play time", "time played", "time", "hours spent", "playtime (hours)"),
        *("playtime hours", "total hours", "time (h)", "spielzeit", "stunden", "gespielte stunden", "heures"),
        *("temps de jeu", "horas", "horas jugadas", "tiempo", "ore", "tempo", "tempo de jogo", "godziny", "часы"),
        *("プレイ時間",),
    ),
    "minutes": ("minutes", "minutes played", "playtime minutes", "playtime (minutes)", "playtime forever", "minuten"),
    "seconds": ("seconds", "seconds played", "playtime seconds", "playtime (seconds)"),
    "started": (
        *(
            "started",
            "start",
            "start date",
            "date started",
            "started on",
            "begun",
            "begonnen",
            "gestartet",
            "angefangen",
        ),
        *(
            "startdatum",
            "début",
            "commencé",
            "commencé le",
            "inicio",
            "fecha de inicio",
            "empezado",
            "inizio",
            "início",
        ),
        *("rozpoczęto", "開始日"),
    ),
    "finished": (
        *("finished", "finish", "finish date", "date finished", "finished on", "completed", "completed on"),
        *("completion date", "date completed", "date beaten", "beaten", "beaten on", "end", "end date", "ended"),
        *("beendet", "abgeschlossen", "durchgespielt", "durchgespielt am", "enddatum", "fin", "fini", "fini le"),
        *("terminé", "terminé le", "date de fin", "terminado", "fecha de fin", "completado", "finito", "fine"),
        *("completato", "concluído", "terminado em", "ukończono", "пройдено", "クリア", "クリア日"),
    ),
    "store": (
        *("store", "shop", "service", "storefront", "source", "launcher", "bought at", "bought on", "laden", "dienst"),
        *("geschäft", "boutique", "magasin", "tienda", "negozio", "loja", "sklep"),
    ),
    "ownership": ("ownership", "owned", "own", "besitz", "im besitz", "possédé", "posesión", "posseduto"),
    "last_played": ("last played", "last played on", "last activity", "zuletzt gespielt", "joué le", "última vez"),
    "acquired": (
        *("acquired", "bought", "purchased", "purchase date", "date acquired", "date bought", "date purchased"),
        *("gekauft", "gekauft am", "kaufdatum", "acheté", "acheté le", "comprado", "acquistato"),
    ),
    "favourite": (
        "favourite",
        "favorite",
        "favourites",
        "fav",
        "liked",
        "favorit",
        "liebling",
        "favori",
        "favorito",
        "preferito",
    ),
    "tags": ("tags", "labels", "schlagworte", "étiquettes", "etiquetas", "etichette"),
    "notes": (
        *("notes", "note", "comment", "comments", "review", "thoughts", "notizen", "notiz", "kommentar", "anmerkung"),
        *("commentaire", "commentaires", "remarques", "avis", "notas", "comentario", "comentarios", "commento"),
    ),
    "series": ("series", "franchise", "serie", "reihe", "spielereihe", "série", "saga", "シリーズ"),
    "completion": ("completion", "completion level", "level of completion", "completion type", "how far"),
    "igdb_id": ("igdb", "igdb id"),
    "igdb_slug": ("igdb slug", "igdb url"),
    "steam_id": ("appid", "app id", "steam appid", "steam app id", "steam id"),
    "gog_id": ("gog id", "gog product id"),
    "list": ("list", "list name"),
    "place": ("place", "rank", "ranking", "platz", "rang"),
}
_FIELD_OF: dict[str, Field] = {name_key(name): field for field, names in _NAMES.items() for name in names}
# What a person may write after a field of days: `--map Finished=finished:mdy`.
DAY_ORDERS = ("dmy", "mdy")


_SCALE = re.compile(r"(?:/|out of|[01] ?[-–])\s*(5|10|20|100)(?!\d)", re.IGNORECASE)


class Columns:
    """Where a table holds what: a column for a field, the order of its days, and the names of those left out."""

    def __init__(self, table: Table, mapped: Mapping[str, str], name: str) -> None:
        self.at: dict[Field, int] = {}
        self.orders: dict[Field, str] = {}
        by_hand = _by_hand(table.header, mapped, name)
        for place, (field, order) in by_hand.items():
            self.at[field] = place
            self.orders |= {field: order} if order else {}
        for place, column in enumerate(table.header):
            field_of_name = field_named(column)
            if place not in by_hand and field_of_name is not None:
                self.at.setdefault(field_of_name, place)
        self.rating_scale = _scale_of(table.header[self.at["rating"]]) if "rating" in self.at else None
        taken = set(self.at.values())
        self.left_out = [
            column
            for place, column in enumerate(table.header)
            if column and place not in taken and column.lower() != COLUMN
        ]


def field_named(column: str) -> Field | None:
    """Return what a column of this name says; None for a name that we do not know."""
    return _FIELD_OF.get(name_key(column)) if column else None


def has_title(header: Iterable[str]) -> bool:
    """Whether one of these columns names games."""
    return any(field_named(column) == "title" for column in header)


def _scale_of(column: str) -> int | None:
    """Return the scale that a column of ratings names: `Rating /10`, `Score (1-5)`, `out of 100`."""
    match = _SCALE.search(column)
    return int(match[1]) if match else None


def listed(names: Sequence[str]) -> str:
    """Return names of columns in words, the first dozen of them: `Name`, `Hours` and 3 more."""
    some = ", ".join(f"`{on_a_line(name, 40)}`" for name in names[:12])
    return f"{some} and {len(names) - 12} more" if len(names) > 12 else some


def _nearest_first(written: str, names: Sequence[str]) -> list[str]:
    shown = [on_a_line(name, NAME_LENGTH) for name in names]
    return list(dict.fromkeys([*nearest(written, names), *shown]))


def _by_hand(header: Sequence[str], mapped: Mapping[str, str], name: str) -> dict[int, tuple[Field, str | None]]:
    """Return which column a person says holds which field; raises `UsageError` for what there is not."""
    places = {name_key(column): place for place, column in reversed(list(enumerate(header)))}
    chosen: dict[int, tuple[Field, str | None]] = {}
    for column, word in mapped.items():
        place = places.get(name_key(column))
        if place is None:
            columns = _nearest_first(column, [each for each in header if each])
            raise UsageError(f"{name} has no column `{on_a_line(column, NAME_LENGTH)}`; it has {listed(columns)}")
        plain, _, order = word.partition(":")
        field = next((each for each in FIELDS if each == plain.strip().lower().replace(" ", "_")), None)
        if field is None or (order and order not in DAY_ORDERS):
            fields = ", ".join(_nearest_first(plain, FIELDS))
            orders = " or ".join(f"{field or 'finished'}:{each}" for each in DAY_ORDERS)
            raise UsageError(
                f"`{on_a_line(word, NAME_LENGTH)}` is no field of a game; these are: {fields}"
                + (f". A day is written as {orders}" if order else "")
            )
        chosen[place] = (field, order or None)
    return chosen
