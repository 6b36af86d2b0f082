"""Which of two versions is the newer one."""

import pytest

from pipeline.roms.dats.versions import order_of


@pytest.mark.parametrize(
    ("version", "other", "order"),
    [
        ("20240317-134803", "20240316-235959", "newer"),
        ("20240317-134803", "20240317-134802", "newer"),
        ("2024-03-17 13-48-03", "20240316", "newer"),
        ("2026.08.01", "20240317-134803", "newer"),
        ("TOSEC-v2024-03-17", "TOSEC-v2025-01-01", "older"),
        ("0.99", "0.271", "older"),
        ("1.10", "1.9", "newer"),
        ("1.0", "1.0", "same"),
        ("v1.0", "1.0", "same"),
        ("", "1.0", "unknown"),
        ("0.271", "20240317", "unknown"),
        ("beta", "alpha", "same"),
    ],
)
def test_dates_compare_first_and_then_numbers(version: str, other: str, order: str) -> None:
    assert order_of(version, other) == order
