"""What the fields of a change are called: a row for each field, with its three sayings. Pure."""

from typing import NamedTuple


class FieldWords(NamedTuple):
    """A field's name in a feed's list of changes, in that of a message, and in a headline."""

    label: str
    message_label: str
    in_title: str


FIELDS = {
    "start_at": FieldWords("Start", "Start", "start"),
    "end_at": FieldWords("End", "End", "end"),
    "details_url": FieldWords("Details", "Details", "details link"),
    "account_link_url": FieldWords("Account link", "Account link", "account link"),
    "image_url": FieldWords("Picture", "Image url", "image_url"),
    "box_art_url": FieldWords("Box art", "Box art url", "box_art_url"),
    "required_minutes": FieldWords("Minutes to watch", "Required minutes", "minutes"),
    "required_subs": FieldWords("Subscriptions", "Required subs", "subscriptions"),
    "required_turbo_subs": FieldWords("Turbo subscriptions", "Required Turbo subs", "Turbo subscriptions"),
    "drop": FieldWords("Drop", "Drop", "a drop removed"),
}


def field_words(field: str) -> FieldWords:
    """Return the three sayings of a field; one that has no row reads as its own name."""
    spelled_out = field.replace("_", " ").capitalize()
    return FIELDS.get(field) or FieldWords(spelled_out, spelled_out, field)
