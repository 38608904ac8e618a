"""Numerical side of gluntk."""
