"""A LaTeX document: results, and the chain of steps."""

from __future__ import annotations

import re

import sympy as sp
from sympy.printing.latex import LatexPrinter

from derivations.kernel_derivation import KernelDerivation
from derivations.printing.abbreviations import abbreviated
from derivations.symbols import Coefficient, j

_HEAD = r"""\documentclass[10pt]{article}
\usepackage[a4paper,margin=22mm]{geometry}
\usepackage{amsmath,amssymb}
\allowdisplaybreaks
\setlength{\parindent}{0pt}
\begin{document}
"""
# Terms beyond this many characters of source, or of what is printed, start a new line of the display.
_LINE, _PRINTED = 190, 84


class _Printer(LatexPrinter):
    """Dot products as w . x, values at a point with a bar."""

    def _print_Sum(self, expression: sp.Sum) -> str:
        factors = expression.function.as_powers_dict()
        if all(isinstance(factor, sp.Indexed) for factor in factors) and sum(factors.values()) == 2:
            bases = [factor.base for factor, power in factors.items() for _ in range(int(power))]
            ordered = sorted(bases, key=lambda base: (str(base) in "xy", str(base)))
            return r"\,(" + r"\cdot ".join(_vector(base) for base in ordered) + ")"
        return super()._print_Sum(expression)

    def _print_Symbol(self, expression: sp.Symbol, style: str = "plain") -> str:
        before, tilde, after = expression.name.partition("~")
        # In LaTeX a ~ of its own is a space.
        if tilde and (not after or after.startswith("_")):
            return rf"\tilde{{{self._print(sp.Symbol(before))}}}{after}"
        return str(super()._print_Symbol(expression, style))

    def _hprint_Function(self, func: str) -> str:
        return (
            rf"\widetilde{{{self._hprint_Function(func[:-1])}}}"
            if func.endswith("~")
            else str(super()._hprint_Function(func))
        )

    def _print_Indexed(self, expression: sp.Indexed) -> str:
        base, (index,) = expression.base, expression.indices
        name = str(base)
        if len(name) > 1 and name.isalpha():  # a Greek letter
            return f"{self._print(sp.Symbol(name))}_{{{self._print(index)}}}"
        return f"{{{name[0]}}}_{{{name[1:]}{self._print(index)}}}"


def _vector(base: sp.IndexedBase) -> str:
    name = str(base)
    return name if len(name) == 1 else f"{name[0]}_{{{name[1:]}}}"


def latex(expression: sp.Expr) -> str:
    r"""`expression` in LaTeX.

    Examples
    --------
    >>> from derivations.symbols import d, k, w, x
    >>> print(latex(sp.Sum(w[k] * x[k], (k, 1, d))))
    \,(w\cdot x)
    >>> print(latex(sp.Symbol("lambda~_n") - sp.IndexedBase("lambda")[k]))
    \tilde{\lambda}_n - \lambda_{k}
    """
    names = {
        sp.Symbol("s_in", positive=True): r"s_{\mathrm{in}}",
        sp.Symbol("s_out", positive=True): r"s_{\mathrm{out}}",
    }
    return _Printer({"symbol_names": names, "inv_trig_style": "full"}).doprint(expression)


def render(result: KernelDerivation, steps: bool) -> str:
    """A document that compiles with amsmath alone."""
    network = result.network
    g = network.gates
    biased = network.parametrization.has_biases
    biases = [f" + s_b b_{{{name}}}" if biased else "" for name in ("k", "1k", "2k")]
    gates = "".join(rf"\,(s_{{\mathrm{{in}}}}\, v_{{{i}k}}\cdot x{biases[i]})" for i in range(1, g + 1))
    lower = "".join(("c_0 + ", r"c_1\,G/d + ")[: g if biased else 0])
    definition = (
        rf"z(x) = s_{{\mathrm{{out}}}}\sum_{{k=1}}^{{m}} a_k\,\phi(s_{{\mathrm{{in}}}}\, w_k\cdot x{biases[0]})"
        rf"{gates},\qquad \phi(z) = {latex(network.activation.phi)}"
    )
    values = r",\quad ".join(
        f"{latex(name)} = {latex(value)}" for name, value in network.parametrization.values
    )
    parts = [
        rf"\section*{{{_escaped(result.derivation.statement)}}}",
        rf"\[ {definition} \]",
        rf"\[ {values} \]",
        *_kernel(result),
        r"\subsection*{Simplified matrix"
        + ("}" if result.simplified_everywhere else r" on the sphere $|x|^2 = d$}"),
        rf"\[ K \approx {lower}\beta\,{_gated_rank_one(g)} + \alpha\,{_power('G', g + 1, hadamard=True)}"
        rf" + \gamma\,{_power('D', g + 1)},\qquad G = XX^T,\; r_i = |x_i|,\; D = \operatorname{{diag}}(r_i^2) \]",
    ]
    for name in ("alpha", "beta", "gamma"):
        parts += _abbreviated("\\" + name, _numbers(result, getattr(result.coefficients, name)))
    expansion = result.expansion
    series = sp.Add(
        *(
            _numbers(result, value) * sp.Symbol("rho") ** degree
            for degree, value in enumerate(expansion.coefficients)
        ),
        evaluate=False,
    )
    parts += [
        r"\subsection*{Expansion on the sphere $|x|^2 = d$"
        + (r", $\rho$ the cosine of $x_i$ and $x_j$}" if biased else "}"),
        _display(
            r"f(\rho)",
            series,
            rf" \\&\qquad + R,\qquad |R| \le |\rho|^{{{expansion.order + 1}}} R_{{{expansion.order}}}",
        ),
        *_abbreviated(f"R_{{{expansion.order}}}", _numbers(result, expansion.remainder)),
    ]
    if steps:
        parts.append(r"\subsection*{Steps}")
        for number, step in enumerate(result.steps, 1):
            heading = rf"\textbf{{{number}. {_escaped(step.title)}}} \emph{{({_escaped(step.rule)}: {step.status})}}"
            parts += [heading, *_abbreviated(latex(step.lhs), step.rhs)]
    return _HEAD + "\n".join(parts) + "\n\\end{document}"


def _kernel(result: KernelDerivation) -> list[str]:
    if result.is_closed:
        kernel, nngp = result.kernel, result.nngp
        return [
            r"\subsection*{Kernel}",
            *_extended(result),
            *_abbreviated(r"K(x,y)", kernel.off_diagonal),
            *_abbreviated(r"K(x,x)", kernel.diagonal),
            r"\subsection*{NNGP covariance}",
            *_abbreviated(r"\Sigma(x,y)", nngp.off_diagonal),
            *_abbreviated(r"\Sigma(x,x)", nngp.diagonal),
        ]
    if result.network.parametrization.has_biases:
        law = [r"There is no closed form. On the sphere $|x|^2 = d$ its series has"]
    else:
        law = [
            r"There is no closed form. On the sphere $|x|^2 = d$ its coefficient of $\rho^j$ is",
            _display(latex(Coefficient(j)), result.result(Coefficient(j))),
            "with",
        ]
    return [
        r"\subsection*{Kernel}",
        *law,
        "the certified numbers ($z$ standard normal)",
        *(_display(latex(lhs), ball) for lhs, ball in result.enclosures.items()),
    ]


def _extended(result: KernelDerivation) -> list[str]:
    chosen = result.network.parametrization
    return (
        [rf"Norms $r_i$, $r_j$ and cosine $\rho$ are those of the rows $(x, {latex(chosen.constant)})$."]
        if chosen.has_biases
        else []
    )


def _abbreviated(lhs: str, rhs: sp.Expr) -> list[str]:
    """lhs = rhs, and after it what the abbreviations in it mean."""
    short, names = abbreviated(rhs)
    return [_display(lhs, short), *(_display(latex(symbol), value) for symbol, value in names)]


def _numbers(result: KernelDerivation, value: sp.Expr) -> sp.Expr:
    """Exact as it is, else the middle of its enclosure in 8 digits."""
    return value if result.is_closed else sp.N(value, 8)


def _gated_rank_one(gates: int) -> str:
    return "rr^T" if gates == 0 else rf"(rr^T)\circ {_power('G', gates, hadamard=True)}"


def _power(matrix: str, exponent: int, hadamard: bool = False) -> str:
    kind = r"\circ " if hadamard else ""
    return matrix if exponent == 1 else f"{matrix}^{{{kind}{exponent}}}"


def _display(lhs: str, rhs: sp.Expr, suffix: str = "") -> str:
    """lhs = rhs in aligned lines, broken between terms so that none leaves the page."""
    terms = [text for term in sp.Add.make_args(rhs) if term != 0 for text in _short_terms(term)] or ["0"]
    lines, current = [], "" if len(lhs) < _LINE // 2 else None
    for term in terms:
        signed = term if term.startswith("-") else f"+ {term}"
        if current is None:
            lines.append("")
            current = signed
        elif current and not _fits(current + signed):
            lines.append(current)
            current = signed
        else:
            current = f"{current} {signed}"
    lines.append((current or "") + suffix)
    body = [line.strip() for line in lines]
    first = next(i for i, line in enumerate(body) if line)
    body[first] = body[first].removeprefix("+ ")
    head = rf"&{lhs} \\ &\quad = " if first else f"&{lhs} = "
    return "\\begin{align*}\n" + head + " \\\\\n&\\qquad ".join(body[first:]) + "\n\\end{align*}"


def _fits(text: str) -> bool:
    """Whether a line holds it: commands are one character wide, braces none."""
    return len(text) <= _LINE and len(re.sub(r"[{}^_ ]", "", re.sub(r"\\[A-Za-z]+", "x", text))) <= _PRINTED


def _short_terms(term: sp.Expr) -> list[str]:
    """A term that fits a line, or what it is the sum of if its longest factor that is one is multiplied out."""
    text = latex(term)
    sums = [factor for factor in sp.Mul.make_args(term) if factor.is_Add]
    if _fits(text) or not sums:
        return [text]
    longest = max(sums, key=sp.count_ops)
    return [part for summand in longest.args for part in _short_terms(term / longest * summand)]


def _escaped(text: str) -> str:
    replacements = {"\\": r"\textbackslash{}", "_": r"\_", "^": r"\^{}", "&": r"\&", "#": r"\#", "%": r"\%"}
    return "".join(replacements.get(character, character) for character in text)
