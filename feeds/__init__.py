"""Turn stored events into RSS, Atom, OPML and one web page, as plain files that any web server can host."""
