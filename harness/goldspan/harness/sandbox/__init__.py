"""Commands in a sandbox that bubblewrap makes."""
