"""The entrance over HTTP: Amazon's orders, the cart system's carts, trips and receipts to look at."""
