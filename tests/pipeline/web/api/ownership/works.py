"""Works."""

PUBLIC = {
    "works.show_family": "which games are one work is a fact of the catalogue",
    "works.pin_work": "all libraries go by it, and only the owner may",
    "works.unpin_work": "all libraries go by it, and only the owner may",
}
