"""A7 to A14: what is published of extreme eigenvalues, on the simplified matrices, exact kernels and networks.

`matrices` builds the three kernels of a data set, `cells` measures their spectra, `laws` has the sharp law's; `trend` and
`asymptotics` judge ratios that should tend to 1 along `ladders` of sizes, `composition` the formulas' terms; `extremes`
(A7, A8, A10, A11), `orders` (A9, A12) and `orderings` (A13, A14) hold the claims.
"""

from verify.claim import Claim
from verify.claims.spectrum import extremes, orderings, orders

_BY_ID = {claim.id: claim for claim in (*extremes.CLAIMS, *orders.CLAIMS, *orderings.CLAIMS)}
CLAIMS: tuple[Claim, ...] = tuple(_BY_ID[f"A{number}"] for number in range(7, 15))
