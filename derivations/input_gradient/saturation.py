r"""Activations that saturate, as polynomials in z and one hyperbolic tangent: their moments at large scale.

Logistic functions are among them, \(1/(1+e^{-z}) = (1 + \tanh(z/2))/2\), and with them SiLU.
"""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from derivations.symbols import Phi, u_1, z

_T = sp.Dummy("T", real=True)


@dataclass(frozen=True)
class TanhForm:
    """An activation that is a polynomial in z and T = tanh(rate z)."""

    polynomial: sp.Poly
    rate: sp.Rational

    def put_in(self, expectation: sp.Expr) -> sp.Expr:
        """What is expected, as an expression in z."""
        return self._polynomial(expectation).as_expr().subs(_T, sp.tanh(self.rate * z))

    def _polynomial(self, expectation: sp.Expr) -> sp.Poly:
        p = self.polynomial
        slope = p.diff(z) + self.rate * sp.Poly(1 - _T**2, z, _T) * p.diff(_T)
        f = expectation.args[0].replace(Phi, lambda order, _: (slope if order else p).as_expr())
        return sp.Poly(f.subs(u_1, z), z, _T)

    def leading_term(self, expectation: sp.Expr) -> tuple[sp.Expr, sp.Expr] | None:
        r"""(value, n) with \(E f(sz) \sim\) value \(s^n\), or None.

        Only the even monomials \(z^jT^i\) count. For even j they tend to \(z^j\); where they cancel,
        \(s\,E f \to (2\pi)^{-1/2}\int f\), with t = (1 + T)/2 logistic and

        \[ \int y^j t^a(1-t)\,dy = \partial_k^j\, B(a+k,\, 1-k)\big|_{k=0}. \]
        """
        even = [(j, i, value) for (j, i), value in self._polynomial(expectation).terms() if (i + j) % 2 == 0]
        limits: dict[int, sp.Expr] = {}
        for j, _, value in even:
            limits[j] = limits.get(j, sp.S.Zero) + value
        growing = [j for j, value in limits.items() if value != 0]
        if growing:
            j = max(growing)
            return (limits[j] * sp.factorial2(j - 1), sp.Integer(j)) if j % 2 == 0 else None
        k = sp.Dummy("k")
        total = sp.S.Zero
        for j in limits:
            decaying = sp.Poly(sp.Add(*(value * _T**i for n, i, value in even if n == j)), _T)
            in_t = sp.Poly(decaying.as_expr().subs(_T, 2 * _T - 1), _T).quo(sp.Poly(_T * (1 - _T), _T))
            for (a,), value in in_t.terms():
                beta = sp.gamma(a + 1 + k) * sp.gamma(1 - k) / sp.factorial(a + 1)
                total += value * beta.diff(k, j).subs(k, 0) / (2 * self.rate) ** (j + 1)
        total = sp.expand(sp.expand_func(sp.expand(total)))
        return (total / sp.sqrt(2 * sp.pi), -sp.S.One) if total != 0 else None


def tanh_form(phi: sp.Expr) -> TanhForm | None:
    """The activation in terms of one hyperbolic tangent, or None."""
    rewritten = phi.rewrite(sp.tanh)
    calls = rewritten.atoms(sp.tanh)
    if len(calls) != 1:
        return None
    (call,) = calls
    rate = sp.cancel(call.args[0] / z)
    value = sp.cancel(sp.together(rewritten.subs(call, _T)))
    if not (rate.is_Rational and value.is_polynomial(z, _T)):
        return None
    return TanhForm(sp.Poly(value, z, _T), rate)
