"""The HTTP API `/api/v1`: what a command can do, for other programs and for several people."""
