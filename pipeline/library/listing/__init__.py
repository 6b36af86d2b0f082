"""What commands, pages and the API read of a person's library: typed values, read in bulk."""
