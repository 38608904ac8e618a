"""Where published statements on eigenvalues and losses hold: maps of sizes, as data, in words and as pictures.

Over n and d at a width: `formulas` says what of each statement is mapped, `truths` what it is compared with, `maps` makes
the maps, `summary` puts them in words, `plots` draws them. Over d and m: `early` has the smallest n of the early stage
(A16), `early_plots` draws them.
"""

from verify.regimes.early import EarlySize, EarlySummary, early_map, early_summaries
from verify.regimes.formulas import IDS, formulas_of
from verify.regimes.maps import Regime, regime_map
from verify.regimes.summary import Summary, summaries

__all__ = [
    "IDS",
    "EarlySize",
    "EarlySummary",
    "Regime",
    "Summary",
    "early_map",
    "early_summaries",
    "formulas_of",
    "regime_map",
    "summaries",
]
