"""Text that somebody else wrote: marked, looked at, and remembered as untrusted."""
