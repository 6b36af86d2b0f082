"""Keys of subscriptions that name reruns, or what operators hear, beside all kinds: they were left out."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_ADDED = """
INSERT INTO subscription_keys (key, subscription_id)
SELECT DISTINCT named.class || substr(subscription_keys.key, 2), subscription_keys.subscription_id
FROM subscription_keys
JOIN subscriptions ON subscriptions.id = subscription_keys.subscription_id
CROSS JOIN LATERAL (
    SELECT CASE WHEN kind ~ '[*?[]' THEN 'operator.*' ELSE kind END AS class
    FROM jsonb_array_elements_text(subscriptions.conditions -> 'kinds') AS kind
    WHERE kind = 'stream.rerun' OR starts_with(kind, 'operator.')
) AS named
WHERE starts_with(subscription_keys.key, '*|')
ON CONFLICT DO NOTHING
"""


def upgrade() -> None:
    op.execute(_ADDED)


def downgrade() -> None:
    """Leave the keys: an older program finds more by them, and nothing that a subscription does not want."""
