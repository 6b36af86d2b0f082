"""Has loaded what sends, for a process of which senders are forked: each would need a second for it."""

from notifiers import apprise_urls
from notifiers.render import load_templates

apprise_urls.load()
load_templates()
