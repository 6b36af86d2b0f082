"""Collections of ROM files: what each is, what it belongs to, what came and went. Files are only ever read."""
