"""Read and write rows of games, their parts, releases and links, inside the caller's transaction."""
