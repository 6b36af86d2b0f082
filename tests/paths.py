"""Where the tests find what they read: the checkout, our own payloads, and the recordings that may lie beside it."""

from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
PAYLOADS = CHECKOUT / "tests" / "payloads"
RECORDINGS = CHECKOUT.parent / "shared" / "recordings"
