"""The services to develop against: real HTTP, a ledger of their own, every answer of the contract on demand."""
