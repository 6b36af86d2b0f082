"""What the programs of an installation import, loaded once for a nursery (`pipeline.nursery`) to fork.

Nothing may be opened here, and no thread started: forks would share it.
"""

from importlib import import_module

from notifiers import apprise_urls

MODULES = (
    # Our programs, but for `tasks.worker`: that one opens the runtime.
    "pipeline.eventsub.__main__",
    "pipeline.eventsub.serving",
    "pipeline.static_server",
    "tasks.beat",
    "tasks.eventsub",
    "tasks.fetch",
    "tasks.inbox",
    "tasks.pictures",
    "tasks.publish",
    "tasks.send",
    "tasks.ticks",
    # What libraries load by name, or when they are first needed.
    "celery.apps.beat",
    "celery.apps.worker",
    "celery.bin.celery",
    "celery.concurrency.prefork",
    "kombu.transport.redis",
    "sqlalchemy.dialects.postgresql.psycopg",
    "uvicorn.lifespan.on",
    "uvicorn.loops.auto",
    "uvicorn.protocols.http.auto",
)

for module in MODULES:
    import_module(module)
# Apprise's plugins take half a second, which no first message should wait for.
apprise_urls.load()
