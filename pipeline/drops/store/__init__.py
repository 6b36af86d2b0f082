"""Read and write rows, set by set; every function works inside its caller's transaction."""
