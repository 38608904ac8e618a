"""A Python module that needs NumPy alone: the profiles in angles and norms, and the stable evaluation."""

from __future__ import annotations

import inspect
from importlib.metadata import version

import sympy as sp
from sympy.printing.numpy import NumPyPrinter

from derivations import pairwise
from derivations.compiled import ExtendedPrinter
from derivations.errors import InputError
from derivations.kernel_derivation import Kernel, KernelDerivation
from derivations.printing.identifiers import identifier
from derivations.printing.text import text
from derivations.profiles import grows, profiles
from derivations.symbols import d, m, r_i, r_j, rho


class _Printer(NumPyPrinter):
    """NumPy under its usual short name."""

    _module = "np"
    _kc = {name: value.replace("numpy", "np") for name, value in NumPyPrinter._kc.items()}  # noqa: RUF012
    _kf = {name: value.replace("numpy", "np") for name, value in NumPyPrinter._kf.items()}  # noqa: RUF012


_EXTENDED = '''


def _extended(X: ArrayLike, e: float) -> Array:
    """The rows (x, e): on the constant e the biases act like further weights."""
    X = np.asarray(X, float)
    return np.hstack([X, np.full((len(X), 1), e)])
'''


class _ExtendedPrinter(_Printer, ExtendedPrinter):
    """The same with fractions in long double."""


def render(result: KernelDerivation) -> str:
    """Source of the module."""
    name = identifier(result.network)
    docstring, future, geometry = _split(inspect.getsource(pairwise))
    kernels = {f"{name}_ntk": ("NTK", result.kernel), f"{name}_nngp": ("NNGP covariance", result.nngp)}
    listing = "\n".join(
        f"{function}: K(x, y) = {text(kernel.off_diagonal)}" for function, (_, kernel) in kernels.items()
    )
    head = (
        f'r"""{result.derivation.statement}.\n\n{listing}\n\n'
        f'Derived and written by gluntk {version("gluntk")}; needs NumPy alone.\n\n{docstring}\n"""\n\n{future}'
    )
    extension = result.network.parametrization.constant
    if extension != 0:
        geometry = geometry.rstrip() + _EXTENDED
    functions = [
        _function(function, title, kernel, extension) for function, (title, kernel) in kernels.items()
    ]
    return "\n\n".join([head + geometry.rstrip(), *functions]).rstrip()


def _split(source: str) -> tuple[str, str, str]:
    """Docstring, future import and the rest of the module that evaluates pairs."""
    _, docstring, rest = source.split('"""', 2)
    future = "from __future__ import annotations\n"
    before, after = rest.split(future, 1)
    return docstring.strip(), future, before.lstrip("\n") + after


def _function(name: str, title: str, kernel: Kernel, extension: sp.Expr) -> str:
    unknown = (kernel.off_diagonal.free_symbols | extension.free_symbols) - {rho, r_i, r_j, m, d}
    if unknown:
        names = ", ".join(sorted(map(str, unknown)))
        raise InputError(f"variances must be numeric for code to be emitted, {names} have no value")
    terms_of = profiles(kernel.off_diagonal)
    extended = any(map(grows, terms_of.values()))
    printer = _ExtendedPrinter() if extended else _Printer()
    terms = []
    for (i, j), profile in terms_of.items():
        factors = ["s"] * min(i, j) + ["r_i"] * max(i - j, 0) + ["r_j"] * max(j - i, 0)
        terms.append(f"({printer.doprint(profile)})" + "".join(f" * {factor}" for factor in factors))
    width = ", m: float" if kernel.off_diagonal.has(m) else ""
    width_doc = "\n    m : float\n        Width of the network." if width else ""
    example_width = ", m=64" if width else ""
    total = "\n            + ".join(terms) or "0.0 * theta"
    rows, where = "X, Y", ""
    options = ", extended=True" if extended else ""
    if extension != 0:
        e = printer.doprint(extension)
        rows = f"_extended(X, {e}), None if Y is None else _extended(Y, {e})"
        where = f", norms and cosine being those of the rows (x, e) and (y, e), e = {text(extension)}"
    return f'''
def {name}(X: ArrayLike, Y: ArrayLike | None = None{", *" if width else ""}{width}) -> Array:
    r"""{title} matrix of the rows of X (with those of Y).

    K(x, y) = {text(kernel.off_diagonal)}{where}

    Parameters
    ----------
    X : (n, d) array_like
        Real and finite.
    Y : (n', d) array_like, optional
        Without it K is the symmetric (n, n) matrix of X.{width_doc}

    Returns
    -------
    K : (n, n') float64

    Examples
    --------
    >>> {name}([[3.0, 4.0]], [[0.0, 1.0], [1.0, 0.0]]{example_width}).shape
    (1, 2)
    """
    d = np.asarray(X).shape[1]

    def profile(theta: Array, cosine: Array, sine: Array, r_i: Array, r_j: Array) -> Array:
        s = r_i * r_j
        return (
            {total}
        )

    return fill(profile, {rows}{options})
'''
