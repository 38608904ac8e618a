"""Where published statements on extreme eigenvalues hold: maps over n and d, as data, in words and as pictures.

`formulas` says what of each statement is mapped, `truths` what it is compared with, `maps` makes the maps, `summary` puts
them in words, `plots` draws them.
"""

from verify.regimes.formulas import IDS, formulas_of
from verify.regimes.maps import Regime, regime_map
from verify.regimes.summary import Summary, summaries

__all__ = ["IDS", "Regime", "Summary", "formulas_of", "regime_map", "summaries"]
