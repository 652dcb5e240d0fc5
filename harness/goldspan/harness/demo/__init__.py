"""The demo's world: the support desk of Larkspur, a hosting company that does not exist."""
