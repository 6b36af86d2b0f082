"""Import payloads that somebody kept: single files, folders, archives, oldest first."""
