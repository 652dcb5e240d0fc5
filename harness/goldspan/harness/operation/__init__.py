"""What runs a fleet: work in, results out, the kill switch, the outbox, retention."""
