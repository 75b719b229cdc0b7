"""The ledger beside the processor's files."""
