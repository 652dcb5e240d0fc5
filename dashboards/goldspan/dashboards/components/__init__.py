"""What pages are made of; each component is one file."""
