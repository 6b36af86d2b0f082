"""What a line of a file changes, as people write it."""

from models.words.units import length
from pipeline.library.compare import Change

LABELS = {
    "playtime_seconds": "played",
    "last_played_at": "last played",
    "acquired_on": "acquired",
    "is_hidden": "hidden",
    "is_favourite": "favourite",
    "is_replay": "replay",
    "seconds": "time",
    "cover_url": "cover",
}
# Of a playthrough's parts those that do not say themselves what they are.
_NAMED_PARTS = frozenset({"completion", "started", "finished", "rating", "rating_scale", "notes"})


def change_in_words(change: Change) -> str:
    """Return a change as a person reads it: "played: 1 h → 2 h"; as JSON it has the names and values of the export."""
    label = LABELS.get(change.field, change.field.replace("_", " "))
    return f"{label}: {_value(change.old, change.field)} → {_value(change.new, change.field)}"


def _value(value: object, field: str) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return f"{value[:16].replace('T', ' ')} UTC" if field.endswith("_at") else value
    if isinstance(value, int | float):
        return length(round(value)) if field.endswith("seconds") else f"{value:g}"
    parts = [_part(name, part) for name, part in value.items()] if isinstance(value, dict) else _listed(value)
    return ", ".join(parts) or "none"


def _listed(value: object) -> list[str]:
    return list(map(str, value)) if isinstance(value, list | tuple) else [str(value)]


def _part(name: str, value: object) -> str:
    """Return a part of a playthrough; what its value is called goes before it where that is not plain."""
    written = "again" if name == "is_replay" else _value(value, name)
    return f"{LABELS.get(name, name.replace('_', ' '))} {written}" if name in _NAMED_PARTS else written
