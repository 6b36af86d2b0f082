"""The client of IGDB: requests, shapes of answers, and the records that they are parsed into."""
