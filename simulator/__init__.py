"""A payment service to develop against: real HTTP, its own ledger, every answer of the contract on demand."""
