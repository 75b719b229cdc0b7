"""What an operator or a program can do: functions over Temporal and the ledger, which know no terminal and no HTTP."""
