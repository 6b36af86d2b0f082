"""What a person can have done: the functions that a command and a route of the API share.

Each takes the transaction that its door opened, or the runtime where it asks a service meanwhile, and whose it is; it
returns structs, which the command prints as JSON and the route answers with. Errors are `UsageError`, `UnknownThing`
where nothing of that person's has the name.
"""
