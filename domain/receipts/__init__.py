"""What a shopper is handed."""
