"""Rows of people: keys, invitations, the audit log, plans and the ledger."""
