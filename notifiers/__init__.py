"""Tells people: matches events to subscriptions, and sends what is due to each target exactly where it asked."""
