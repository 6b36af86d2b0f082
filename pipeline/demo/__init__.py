"""The offline demo: an invented world, the services that speak for it, and the mailboxes that listen."""
