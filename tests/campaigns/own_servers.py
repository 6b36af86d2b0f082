"""A PostgreSQL and a Valkey of a campaign's own, which end with it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from pipeline import embedded
from pipeline.embedded import Servers, ensure
from pipeline.embedded.layout import Layout
from tests.databases import Databases
from tests.waiting import folder_of_processes, processes_with, wait_for


class OwnDatabases(NamedTuple):
    """Servers, and as many databases of theirs as are asked for."""

    servers: Servers
    databases: Databases


@contextmanager
def own_servers(data_dir: Path) -> Iterator[Servers]:
    """Servers in a data directory, which have ended when the `with` block has."""
    try:
        yield ensure(data_dir)
    finally:
        # What the end of this process would do: the servers stop when nobody holds this lock.
        os.close(embedded._held.pop(Layout.of(data_dir).data_dir))
        wait_for(lambda: not processes_with(data_dir))


@contextmanager
def own_databases() -> Iterator[OwnDatabases]:
    """Servers in a new folder, with databases."""
    with folder_of_processes() as folder, own_servers(folder / "servers") as servers:
        databases = Databases(servers.database_url)
        try:
            yield OwnDatabases(servers, databases)
        finally:
            databases.close()
