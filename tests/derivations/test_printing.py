"""What is emitted is what was derived: JSON re-parses, Python and C compute the same kernel, LaTeX compiles."""

from __future__ import annotations

import ctypes
import json
import re
import shutil
import subprocess
import sys
from functools import cache
from itertools import zip_longest
from pathlib import Path

import mpmath as mp
import numpy as np
import pytest
import sympy as sp

from derivations import InputError, KernelDerivation, derive, kernel_function, network
from derivations.printing import FORMATS, render
from derivations.printing.abbreviations import abbreviated
from derivations.printing.identifiers import identifier
from derivations.symbols import d, m, r_i, r_j, rho

NETWORKS = ("relu", "reglu", "gqu", "relu2", "bilinear")
# Not homogeneous, or not 0 at 0: terms of several degrees in the norms, with square roots in their factors.
MIXED = (
    "max(0, z)**2 - z/2, 1",
    "max(0, z) + z*z/3, 2",
    "1 + max(0, z), 0",
    "1 + max(0, z), 1",
    "abs(z) + 2, 0",
)
CASES = [(name, parametrization) for name in NETWORKS for parametrization in ("standard", "ntk")]
CASES += [
    (name, "standard") for name in (*MIXED, "gelu", "geglu", "erf", "gaussian", "sin", "z*erf(z) + z**2, 1")
]
WIDTH = 37
# Emitted and built-in code evaluate the same profile; they differ in how the angle is found and in the order of
# a few roundings, each of some 1e-15 of sqrt(K_ii K_jj).
TOLERANCE = 1e-13


@cache
def derived(name: str, parametrization: str = "standard") -> KernelDerivation:
    if "," in name:
        expression, gates = name.rsplit(",", 1)
        return derive(network(expression=expression, gates=int(gates), parametrization=parametrization))
    return derive(network(name, parametrization=parametrization))


def hostile_rows() -> np.ndarray:
    """Random, equal, opposite, nearly equal and opposite, long, short and zero rows."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, 5))
    rows = [x, x, -x, 2 * x, x + 1e-9 * y, -x + 1e-7 * y, y, np.zeros(5), 1e30 * x, 1e-30 * y, np.eye(5)[0]]
    return np.array(rows)


def assert_same_kernel(found: np.ndarray, expected: np.ndarray) -> None:
    scale = np.outer(np.sqrt(np.diag(expected)), np.sqrt(np.diag(expected)))
    assert np.all(np.abs(found - expected) <= TOLERANCE * scale)


def test_json_has_the_public_keys_and_strings_that_parse():
    result = derived("reglu")
    content = json.loads(render(result, "json"))
    assert set(content) >= {
        "schema", "version", "network", "parametrization", "coefficients", "kernel", "taylor", "hermite", "steps",
    }  # fmt: skip
    names = {symbol.name: symbol for symbol in result.kernel.off_diagonal.free_symbols}
    for name in ("alpha", "beta", "gamma"):
        assert sp.sympify(content["coefficients"][name], names) == getattr(result.coefficients, name)
    assert sp.sympify(content["kernel"]["off_diagonal"], names) == result.kernel.off_diagonal
    assert sp.sympify(content["kernel"]["diagonal"], names) == result.kernel.diagonal
    taylor = [sp.sympify(text, names) for text in content["taylor"]]
    assert tuple(taylor) == result.expansion.coefficients
    for step in content["steps"]:
        assert set(step) == {"title", "lhs", "rhs", "rule", "reference", "status"}


@pytest.mark.parametrize("digits", [1, 30, 60])
def test_hermite_coefficients_are_right_to_the_last_digit(digits: int):
    content = json.loads(render(derived("relu"), "json", digits=digits))
    with mp.workdps(digits + 20):
        lower, upper = [0], [1]  # He_k by its recurrence, coefficients from degree 0 on
        for k, entry in enumerate(content["hermite"]):
            # E[relu(z) He_k(z)] / sqrt(k!) on the half-line where relu is not 0: moments of the half-normal.
            moments = (
                c * mp.mpf(2) ** (j / mp.mpf(2)) * mp.gamma(1 + j / mp.mpf(2)) for j, c in enumerate(upper)
            )
            exact = mp.fsum(moments) / mp.sqrt(2 * mp.pi * mp.factorial(k))
            assert abs(mp.mpf(entry["value"]) - exact) <= mp.mpf(entry["radius"]) + mp.mpf(10) ** (
                -digits - 10
            )
            assert len(entry["value"].split(".")[1]) == digits
            shifted = [0, *upper]
            lower, upper = upper, [c - k * b for c, b in zip_longest(shifted, lower, fillvalue=0)]


@pytest.mark.parametrize(("name", "parametrization"), CASES)
def test_the_python_module_needs_numpy_alone_and_agrees(name: str, parametrization: str, tmp_path: Path):
    result = derived(name, parametrization)
    name = identifier(result.network)
    (tmp_path / "emitted.py").write_text(render(result, "python"))
    np.save(tmp_path / "X.npy", hostile_rows())
    width = f", m={WIDTH}" if result.kernel.off_diagonal.has(m) else ""
    script = f"""
import sys, doctest
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("sympy", "scipy", "derivations", "verify"):
            raise ImportError(name)
sys.meta_path.insert(0, Block())
import numpy as np, emitted
X = np.load("X.npy")
np.save("ntk.npy", emitted.{name}_ntk(X{width}))
np.save("nngp.npy", emitted.{name}_nngp(X))
np.save("cross.npy", emitted.{name}_ntk(X, X[:3]{width}))
outcome = doctest.testmod(emitted)
assert outcome.attempted and not outcome.failed
"""
    subprocess.run([sys.executable, "-W", "error", "-c", script], check=True, cwd=tmp_path)
    X = hostile_rows()
    ntk, nngp = (kernel_function(result, kind, WIDTH) for kind in ("ntk", "nngp"))  # type: ignore[arg-type]
    assert_same_kernel(np.load(tmp_path / "ntk.npy"), ntk(X))
    assert_same_kernel(np.load(tmp_path / "nngp.npy"), nngp(X))
    full = ntk(X)
    scale = np.outer(np.sqrt(np.diag(full)), np.sqrt(np.diag(full)))[:, :3]
    assert np.all(np.abs(np.load(tmp_path / "cross.npy") - full[:, :3]) <= TOLERANCE * scale)


@pytest.mark.skipif(shutil.which("cc") is None, reason="not run: there is no C compiler")
@pytest.mark.parametrize(("name", "parametrization"), CASES)
def test_the_c_source_compiles_without_warnings_and_agrees(name: str, parametrization: str, tmp_path: Path):
    result = derived(name, parametrization)
    name = identifier(result.network)
    source, library = tmp_path / "kernel.c", tmp_path / "kernel.so"
    source.write_text(render(result, "c"))
    flags = ["-std=c99", "-O2", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-shared", "-fPIC"]
    subprocess.run(["cc", *flags, str(source), "-o", str(library), "-lm"], check=True)
    compiled = ctypes.CDLL(str(library))
    X = hostile_rows()
    pointer = np.ctypeslib.ndpointer(dtype=np.float64, flags="C_CONTIGUOUS")
    for kind in ("ntk", "nngp"):
        kernel = result.kernel if kind == "ntk" else result.nngp
        width = (ctypes.c_double(WIDTH),) if kernel.off_diagonal.has(m) else ()
        K = np.empty((len(X), len(X)))
        function = getattr(compiled, f"{name}_{kind}_matrix")
        function.restype = None
        function.argtypes = [
            pointer,
            ctypes.c_size_t,
            ctypes.c_size_t,
            *(ctypes.c_double for _ in width),
            pointer,
        ]
        function(X, len(X), X.shape[1], *width, K)
        expected = kernel_function(result, kind, WIDTH)(X)  # type: ignore[arg-type]
        assert_same_kernel(K, expected)
        # Zero rows are exact.
        np.testing.assert_array_equal(K[7, 7], expected[7, 7])


@pytest.mark.parametrize("steps", [False, True])
@pytest.mark.parametrize("name", ["relu", "reglu", "gqu"])
def test_latex_is_balanced_and_compiles(name: str, steps: bool, tmp_path: Path):
    text = render(derived(name), "latex", steps=steps)
    stripped = re.sub(r"\\[{}]", "", text)
    assert stripped.count("{") == stripped.count("}")
    assert text.count(r"\begin{align*}") == text.count(r"\end{align*}") > 0
    # Doubled scripts are what breaks LaTeX while braces are balanced.
    assert not re.search(r"\^\{[^{}]*\}\^", text)
    if shutil.which("pdflatex") is None:
        return
    (tmp_path / "derivation.tex").write_text(text)
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "derivation.tex"],
        cwd=tmp_path, capture_output=True, text=True, errors="replace",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:]
    assert "Overfull" not in done.stdout


def test_text_lists_every_step_with_its_rule_and_status():
    result = derived("reglu")
    text = render(result, "text", steps=True)
    for number, step in enumerate(result.steps, 1):
        assert f"{number:>3}. {step.title}  [{step.rule}: proved]" in text
    assert f"{len(result.steps)} of {len(result.steps)} steps proved" in text


def test_showing_steps_checks_them(monkeypatch: pytest.MonkeyPatch):
    from derivations.derivation import Derivation

    seen = []
    monkeypatch.setattr(Derivation, "check", lambda self: seen.append(self))
    render(derived("relu"), "text", steps=True)
    render(derived("relu"), "json")
    assert len(seen) == 2


def test_an_unknown_format_and_symbolic_code_are_refused():
    assert FORMATS == ("text", "latex", "json", "python", "c")
    with pytest.raises(InputError, match="format must be one of text, latex, json, python, c, got 'xml'"):
        render(derived("relu"), "xml")
    symbolic = derive(network("relu", variances="symbolic"))
    for format in ("python", "c"):
        with pytest.raises(InputError, match="sigma_a, sigma_w have no value"):
            render(symbolic, format)
    for digits in (0, 10**6, True):
        for format in FORMATS:
            with pytest.raises(InputError, match="digits must be a whole number from 1 to 1000"):
                render(derived("relu"), format, digits=digits)
    for format in ("python", "c"):
        with pytest.raises(
            InputError, match=f"steps can be shown in text, latex or json, got format '{format}'"
        ):
            render(derived("relu"), format, steps=True)


def test_an_expression_without_a_name_gets_an_identifier():
    result = derive(network(expression="max(0, z) - z/3", gates=1))
    assert "double gated_network_ntk(" in render(result, "c")
    assert "def gated_network_ntk(" in render(result, "python")
    assert result.coefficients.alpha.free_symbols == {m, d}


@pytest.mark.parametrize("name", ["gelu", "geglu", "erf", "gaussian", "sin", "relu", "z*erf(z) + z**2, 1"])
def test_abbreviations_stand_for_the_kernel(name: str):
    for kernel in (derived(name).kernel, derived(name).nngp):
        for entry in (kernel.off_diagonal, kernel.diagonal):
            short, names = abbreviated(entry)
            point = {r_i: 1.3, r_j: 0.7, rho: -0.4, m: 11, d: 3}
            assert complex(short.subs(names).subs(point)) == pytest.approx(
                complex(entry.subs(point)), rel=1e-12
            )
            assert len(str(short)) <= len(str(entry)) or not names
    assert bool(abbreviated(derived(name).kernel.off_diagonal)[1]) == (name not in ("relu", "sin"))
