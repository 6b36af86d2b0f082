"""Fetch, parse, judge, compare and store what sources tell; settings, command line and embedded servers."""
