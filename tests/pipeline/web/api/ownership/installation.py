"""Sources, what was set aside, and EventSub: they belong to the installation, and to no person."""

PUBLIC = {
    "sources.show_source": "sources are the installation's; their errors show to the owner alone",
    "sources.ask_source": "sources are the installation's, and the owner alone may ask them",
    "quarantine.show_quarantined": "what was set aside is the installation's, and for the owner alone",
    "eventsub.remove_one": "subscriptions at Twitch are the installation's, and for the owner alone",
}
