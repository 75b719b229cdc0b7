"""What finance takes out of the ledger."""
