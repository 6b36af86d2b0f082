"""People who share an installation: their keys, invitations, plans and ledger."""
