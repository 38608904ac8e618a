r"""At one d, the numbers of rows and the widths at which the first network's loss falls faster early.

With \(A(m)\) and \(Q(m)\) of `derivations.dynamics.early`, polynomials of degree at most 2 in the width, that is
\(A + (n-1)Q \ge 0\). Of ReLU against ReGLU A is negative, so that a smallest n exists exactly where \(Q > 0\), and is enough
from there on.
"""

from __future__ import annotations

from dataclasses import dataclass

from mpmath import ceil, floor, mp, mpf, polyval, sqrt

from derivations.arguments import check_positive_integer

DIGITS = 40
"""What is rounded up stays on its side of a whole number, where A and Q cancel, too."""


@dataclass(frozen=True)
class EarlyRegion:
    """A and Q at one d.

    Attributes
    ----------
    diagonal, pairs : tuple of 3 mpf
        Coefficients of m^2, m and 1.

    Examples
    --------
    >>> from derivations.dynamics import early_stage, exact_region
    >>> region = early_stage("kernel").at(5)
    >>> [region.smallest_rows(width) for width in (1, 100, None)]
    [None, 85, 61]
    >>> region.smallest_width(), region.smallest_width(300)
    (15, 24)
    >>> exact_region(5).smallest_width(300)
    27
    """

    diagonal: tuple[mpf, mpf, mpf]
    pairs: tuple[mpf, mpf, mpf]

    def smallest_rows(self, width: int | None) -> int | None:
        """The smallest n at which the first network's loss falls faster, and from there on; None if there is none.

        Parameters
        ----------
        width : int or None
            None in the limit of large widths.

        Raises
        ------
        InputError
            If the width is not a positive integer.
        """
        with mp.workdps(DIGITS):
            if width is None:
                degree = max(i for part in (self.diagonal, self.pairs) for i in range(3) if part[2 - i])
                diagonal, pairs = self.diagonal[2 - degree], self.pairs[2 - degree]
            else:
                m = check_positive_integer(width, "width")
                diagonal, pairs = (polyval(part, m) for part in (self.diagonal, self.pairs))
            return max(1, int(ceil(1 - diagonal / pairs))) if pairs > 0 else None

    def smallest_width(self, rows: int | None = None) -> int | None:
        """The smallest m from which on so many rows are enough, or some number of them; None if there is none.

        Parameters
        ----------
        rows : int, optional

        Raises
        ------
        InputError
            If the number of rows is not a positive integer.
        """
        with mp.workdps(DIGITS):
            if rows is None:
                square, slope, constant = self.pairs
            else:
                others = check_positive_integer(rows, "rows") - 1
                square, slope, constant = (
                    a + others * b for a, b in zip(self.diagonal, self.pairs, strict=True)
                )
            if square == 0:
                if slope <= 0:
                    return None
                return max(1, _from(-constant / slope, strict=rows is None))
            if square < 0:
                return None
            discriminant = slope**2 - 4 * square * constant
            if discriminant < 0:
                return 1
            return max(1, _from((sqrt(discriminant) - slope) / (2 * square), strict=rows is None))


def _from(root: mpf, strict: bool) -> int:
    """The first whole number above a root, or at it."""
    return int(floor(root)) + 1 if strict else int(ceil(root))
