"""Import payloads that were kept: single files, folders, archives, git histories, oldest first."""
