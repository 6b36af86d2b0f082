"""Tries a target out, so that a person sees at once whether messages arrive."""

from sqlalchemy import Engine, select

from models import Target
from models.people import OWNER_ID
from models.vault import Vault, VaultError
from notifiers.errors import DeliveryError
from notifiers.hearing import PATIENCE, Patience
from notifiers.render import plain_message
from notifiers.send import send
from notifiers.targets import target_id_of
from notifiers.timing.settings import settings_from_json


def try_target(
    engine: Engine, vault: Vault, name: str, *, person_id: int = OWNER_ID, patience: Patience = PATIENCE
) -> None:
    """Send a friendly test message to a target right away, past the outbox.

    Raises DeliveryError with a reason for people if it was not taken, and TargetError if there is no such target.
    """
    # An engine and not a connection: no transaction stays open while we wait for the service.
    with engine.begin() as connection:
        target_id = target_id_of(connection, name, person_id=person_id)
        row = connection.execute(select(Target.url_encrypted, Target.settings).where(Target.id == target_id)).one()
    try:
        url = vault.decrypt(row.url_encrypted)
    except VaultError as error:
        raise DeliveryError(str(error)) from error
    message = plain_message("Lootwire works", f"Messages for {name} arrive here. Silence means that nothing happened.")
    send(url, message, patience, may_be_private=settings_from_json(row.settings).private, target=name)
