"""What commands and the API read of games: an entry of IGDB as a page, release dates by when they are."""
