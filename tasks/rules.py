"""Apply rules that changed in their files."""

import logging

from celery import shared_task

from pipeline.programs.rules import RulesFiles
from pipeline.runtime.runtime import utc_now
from tasks.surroundings import runtime

logger = logging.getLogger(__name__)
FILES = RulesFiles()


# In the queue of the fetching workers: who is to be followed is looked up at a service.
@shared_task(name="fetch.rules", soft_time_limit=120, time_limit=150)
def rules() -> None:
    """Apply lootwire.toml and rules/*.toml where they changed, if that is wanted at all."""
    if not runtime().settings.apply_rules:
        return
    applied = FILES.apply_if_changed(runtime(), utc_now())
    if applied is None:
        return
    for problem in (*applied.problems, *applied.warnings):
        logger.warning("rules: %s", problem)
    if applied.changes:
        logger.info("rules applied", extra={"changes": applied.changes})
