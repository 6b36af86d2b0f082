"""From a fetched answer to rows, for any kind of thing that sources list: claim, judge, compare, store."""
