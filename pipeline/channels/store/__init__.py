"""Read and write rows of streams and videos, inside the caller's transaction."""
