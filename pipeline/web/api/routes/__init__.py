"""All routes, a file a subject; each is a thin function over one of `pipeline.operations`."""
