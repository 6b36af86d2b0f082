"""Names of ROMs, read: `parsing.parse_name`, and in `tags` the tables of what stands in brackets."""
