"""Symbolic side of gluntk."""
