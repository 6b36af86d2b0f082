"""All our errors have one base class, so that one place can show them to a person."""

import importlib
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from types import ModuleType

import pytest

import feeds
import models
import notifiers
import pipeline
import tasks
from models.errors import LootwireError

# Importing it makes a Celery application and opens an installation.
WORKERS = "tasks.worker"


def modules(package: ModuleType) -> Iterator[ModuleType]:
    yield package
    for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not info.name.startswith("models.migrations") and info.name != WORKERS:
            yield importlib.import_module(info.name)


def errors_of(module: ModuleType) -> list[type[Exception]]:
    # By their own type: a task of Celery's would say what it stands for, and knows it only in the application of now.
    classes = [
        value for value in vars(module).values() if issubclass(type(value), type) and issubclass(value, Exception)
    ]
    return [each for each in classes if issubclass(each, Exception) and each.__module__ == module.__name__]


@pytest.mark.parametrize("package", [models, feeds, notifiers, pipeline, tasks], ids=lambda package: package.__name__)
def test_every_error_that_we_define_is_a_lootwire_error(package: ModuleType) -> None:
    ours = [error for module in modules(package) for error in errors_of(module)]
    assert [error for error in ours if not issubclass(error, LootwireError)] == []


def test_errors_of_each_room_are_seen() -> None:
    rooms = (models, feeds, notifiers, pipeline)
    ours = {error.__name__ for room in rooms for module in modules(room) for error in errors_of(module)}
    assert {"PublishError", "VaultError", "DeliveryError", "EmbeddedError", "AlreadyRunning", "SourceChanged"} <= ours


def test_a_program_that_knows_our_errors_does_not_pay_for_the_tables() -> None:
    code = "import sys, models.errors; sys.exit('sqlalchemy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
