"""The ledger that outlives Temporal's history: finance's copy of the truth (SQLAlchemy)."""
