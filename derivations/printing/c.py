"""C99 source: the kernel of two vectors and of a matrix's rows, needing libm alone."""

from __future__ import annotations

from importlib.metadata import version

import sympy as sp
from sympy.codegen.ast import float80, real
from sympy.printing.c import C99CodePrinter

from derivations.errors import InputError
from derivations.kernel_derivation import Kernel, KernelDerivation
from derivations.printing.identifiers import identifier
from derivations.printing.text import text
from derivations.profiles import grows, profiles
from derivations.symbols import d, m, r_i, r_j, rho

_GEOMETRY = """\
#include <math.h>
#include <stddef.h>

#ifndef M_PI
#define M_PI 3.14159265358979323846
#endif

/* Exponent e and norm of x * 2^-e, so that no square leaves the range of double. */
static double scaled_norm(const double *x, size_t d, int *e)
{
    double largest = 0.0, total = 0.0;
    for (size_t k = 0; k < d; k++)
        largest = fmax(largest, fabs(x[k]));
    frexp(largest, e);
    for (size_t k = 0; k < d; k++) {
        double scaled = ldexp(x[k], -*e);
        total += scaled * scaled;
    }
    return sqrt(total);
}

struct geometry {
    double r_i, r_j, theta, cosine, sine;
};

/* Norms and angle of x and y; a zero vector counts as orthogonal to every vector.
   The angle is 2 atan2(|u - v|, |u + v|) of the directions: arccos of a rounded
   cosine would lose half the digits near 0 and pi. */
static void geometry_of(const double *x, const double *y, size_t d, struct geometry *g)
{
    int e_x, e_y;
    double n_x = scaled_norm(x, d, &e_x), n_y = scaled_norm(y, d, &e_y);
    double minus = 0.0, plus = 0.0;
    int zero = n_x == 0.0 || n_y == 0.0;
    for (size_t k = 0; k < d && !zero; k++) {
        double u = ldexp(x[k], -e_x) / n_x, v = ldexp(y[k], -e_y) / n_y;
        minus += (u - v) * (u - v);
        plus += (u + v) * (u + v);
    }
    if (zero)
        minus = plus = 1.0;
    g->r_i = ldexp(n_x, e_x);
    g->r_j = ldexp(n_y, e_y);
    g->theta = 2.0 * atan2(sqrt(minus), sqrt(plus));
    g->cosine = (plus - minus) / (plus + minus);
    g->sine = 2.0 * sqrt(minus) * sqrt(plus) / (plus + minus);
}
"""


class _Printer(C99CodePrinter):
    """Small integer powers as products: exact, and `pow` is slow."""

    def _print_Pow(self, expression: sp.Pow) -> str:
        if expression.exp.is_Integer and 2 <= expression.exp <= 4 and expression.base.is_Symbol:
            return "(" + "*".join([self._print(expression.base)] * int(expression.exp)) + ")"
        return super()._print_Pow(expression)


def _extended(geometry: str) -> str:
    """The same of the rows (x, extra)."""
    geometry = geometry.replace("x[k]", "AT(x, k)").replace("y[k]", "AT(y, k)").replace("k < d", "k <= d")
    geometry = geometry.replace("size_t d, ", "size_t d, double extra, ").replace(
        ", d, &e_", ", d, extra, &e_"
    )
    return geometry.replace("#include <stddef.h>\n", "#include <stddef.h>\n" + _AT)


def _grows(kernel: Kernel) -> bool:
    return any(map(grows, profiles(kernel.off_diagonal).values()))


def _long_norms(geometry: str) -> str:
    """Norms in long double, for exponentials: their relative error is the absolute one of their exponent."""
    for old, new in (
        ("static double scaled_norm", "static long double scaled_norm"),
        ("double largest = 0.0, total = 0.0;", "double largest = 0.0;\n    long double total = 0.0L;"),
        ("double scaled = ldexp", "long double scaled = ldexp"),
        ("return sqrt(total);", "return sqrtl(total);"),
        ("double r_i, r_j, theta,", "long double r_i, r_j;\n    double theta,"),
        ("double n_x = scaled_norm", "long double n_x = scaled_norm"),
        ("g->r_i = ldexp(", "g->r_i = ldexpl("),
        ("g->r_j = ldexp(", "g->r_j = ldexpl("),
    ):
        assert old in geometry, old
        geometry = geometry.replace(old, new)
    return geometry


_AT = """
/* Entry k of the row (x, extra): on the constant the biases act like further weights. */
#define AT(x, k) ((k) < d ? (x)[k] : extra)
"""


def render(result: KernelDerivation) -> str:
    """C99 functions for the NTK and the NNGP covariance."""
    name = identifier(result.network)
    extension = result.network.parametrization.constant
    geometry = _extended(_GEOMETRY) if extension != 0 else _GEOMETRY
    if _grows(result.kernel):
        geometry = _long_norms(geometry)
    head = f"/* {result.derivation.statement}.\n   Derived and written by gluntk {version('gluntk')}. */\n{geometry}"
    return "\n".join(
        [
            head,
            _functions(f"{name}_ntk", "NTK", result.kernel, extension),
            _functions(f"{name}_nngp", "NNGP covariance", result.nngp, extension),
        ]
    ).rstrip()


def _functions(name: str, title: str, kernel: Kernel, extension: sp.Expr) -> str:
    unknown = (kernel.off_diagonal.free_symbols | extension.free_symbols) - {rho, r_i, r_j, m, d}
    if unknown:
        names = ", ".join(sorted(map(str, unknown)))
        raise InputError(f"variances must be numeric for code to be emitted, {names} have no value")
    width, passed = (", double m", ", m") if kernel.off_diagonal.has(m) else ("", "")
    geometry = {name: sp.Symbol(f"g.{name}") for name in ("theta", "cosine", "sine", "r_i", "r_j")}
    settings: dict[str, object] = {"math_macros": {sp.pi: "M_PI"}}
    lines = ["    const double s = g.r_i * g.r_j, d = (double)dimension;", "    double total = 0.0;"]
    if _grows(kernel):
        settings["type_aliases"] = {real: float80}
        lines = [
            "    const long double s = g.r_i * g.r_j, d = (long double)dimension;",
            "    long double total = 0.0L;",
        ]
    for (i, j), profile in profiles(kernel.off_diagonal).items():
        symbols = {
            symbol: geometry[symbol.name] for symbol in profile.free_symbols if symbol.name in geometry
        }
        code = _Printer(dict(settings)).doprint(profile.subs(symbols))
        # One norm at a time: s*s may overflow where value*s does not.
        factors = ["s"] * min(i, j) + ["g.r_i"] * max(i - j, 0) + ["g.r_j"] * max(j - i, 0)
        lines.append(f"    total += ({code})" + "".join(f" * {factor}" for factor in factors) + ";")
    body = "\n".join(lines)
    passed_e, where = "", ""
    if extension != 0:
        passed_e = f", {_Printer({}).doprint(extension.subs(d, sp.Symbol('(double)dimension')))}"
        where = f",\n   norms and cosine being those of (x, e) and (y, e), e = {text(extension)}"
    return f"""\
/* {title} of two vectors of length `dimension`,
   K(x, y) = {text(kernel.off_diagonal)}{where} */
double {name}(const double *x, const double *y, size_t dimension{width})
{{
    struct geometry g;
    geometry_of(x, y, dimension{passed_e}, &g);
{body}
    (void)s;
    (void)d;
    return (double)total;
}}

/* The n by n matrix of the rows of X (row-major, n by dimension). */
void {name}_matrix(const double *X, size_t n, size_t dimension{width}, double *K)
{{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j <= i; j++)
            K[i * n + j] = K[j * n + i] = {name}(X + i * dimension, X + j * dimension, dimension{passed});
}}
"""
