"""Store benefits, and return the row ids that drops refer to."""

from collections.abc import Iterable

from sqlalchemy import Connection, Table

from models import DropBenefit
from pipeline.catalogue.storing import Ids, distinct, upsert_by_external_id
from pipeline.drops.records import BenefitRecord

BENEFITS: Table = DropBenefit.__table__  # type: ignore[assignment]
BENEFIT_FIELDS = ("name", "image_url", "distribution_type", "is_ios_available", "created_at")


def store_benefits(connection: Connection, service: str, records: Iterable[BenefitRecord]) -> Ids:
    """Insert or update benefits; returns row ids by external id."""
    rows = [
        {
            "service": service,
            "external_id": record.external_id,
            **{name: getattr(record, name) for name in BENEFIT_FIELDS},
        }
        for record in distinct(records)
    ]
    return upsert_by_external_id(connection, BENEFITS, rows, BENEFIT_FIELDS)
