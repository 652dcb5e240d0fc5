"""Models: where calls go, what is said to them and how, live or recorded."""
