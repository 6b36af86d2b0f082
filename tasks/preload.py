"""What the programs of an installation import, loaded once for a nursery (`pipeline.runtime.nursery`) to fork.

Nothing may be opened here, and no thread started: forks would share it.
"""

import contextlib
from importlib import import_module

from billiard.util import get_pdeathsig

from pipeline.fetch.http import load_certificates

MODULES = (
    # Our programs, but for `tasks.worker`: that one opens the runtime.
    "pipeline.channels.eventsub.__main__",
    "pipeline.web.__main__",
    "pipeline.web.api.application",
    "pipeline.web.webhooks",
    "tasks.beat",
    "tasks.eventsub",
    "tasks.fetch",
    "tasks.inbox",
    "tasks.library",
    "tasks.operating",
    "tasks.pictures",
    "tasks.publish",
    "tasks.roms",
    "tasks.rules",
    "tasks.send",
    "tasks.sound",
    "tasks.spread",
    "tasks.ticks",
    # What libraries load by name, or when they are first needed.
    "anyio._backends._asyncio",
    "celery.app.amqp",
    "celery.app.control",
    "celery.app.log",
    "celery.apps.worker",
    "celery.backends.base",
    "celery.concurrency.prefork",
    "celery.concurrency.solo",
    "celery.concurrency.thread",
    "celery.events.receiver",
    "celery.fixups.django",
    "celery.worker.autoscale",
    "celery.worker.consumer",
    "celery.worker.consumer.delayed_delivery",
    "celery.worker.strategy",
    "encodings.idna",
    "kombu.transport.redis",
    "sqlalchemy.dialects.postgresql.psycopg",
    "uvicorn.lifespan.off",
    "uvicorn.lifespan.on",
    "uvicorn.loops.auto",
    "uvicorn.protocols.http.auto",
)

for module in MODULES:
    import_module(module)
load_certificates()
# Each process of a pool asks to end with its worker, for which billiard makes a parser of C that takes some megabytes.
with contextlib.suppress(OSError):
    get_pdeathsig()
