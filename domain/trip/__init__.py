"""What a trip knows, and what it does next."""
