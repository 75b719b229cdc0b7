"""Money given back, and debts that are paid later."""
