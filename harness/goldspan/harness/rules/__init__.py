"""What a contract's rules say, and the values and targets that they look at."""
