"""Agents as folders of versions: read, made, compared, promoted."""
