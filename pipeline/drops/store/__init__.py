"""Read and write rows of drops, set by set; every function works inside its caller's transaction."""
