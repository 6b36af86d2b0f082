"""`/admin/settings`: what is set, and where."""

from pipeline.operations import settings
from pipeline.operations.settings import SettingAnswer
from pipeline.runtime.settings import load_settings
from pipeline.web.api.calls import Reading
from pipeline.web.api.paging import Page, PageQuery, page_of
from pipeline.web.api.routing import Routes

routes = Routes("settings")


@routes.add("GET", "/admin/settings", scope="admin", role="owner")
def list_settings(call: Reading, query: PageQuery) -> Page[SettingAnswer]:  # noqa: ARG001 - nothing of the database
    """List each setting with its origin, as a program that starts now reads it; secrets are stars."""
    return page_of(settings.list_settings(load_settings()), query, lambda each: each.setting)
