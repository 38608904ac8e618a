"""Emitted code at the ends of the float64 range and under foreign linters, and what the command line loads."""

from __future__ import annotations

import ctypes
import json
import shutil
import subprocess
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import mpmath as mp
import numpy as np
import pytest
import sympy as sp

from derivations import KernelDerivation, derive, kernel_function, network
from derivations.printing import render
from derivations.symbols import m

NETWORKS = ("relu", "reglu", "gqu", "relu2")
CASES = [(name, parametrization) for name in NETWORKS for parametrization in ("standard", "ntk")]
WIDTH = 37
KEYS = [
    "schema", "version", "network", "activation", "gates", "parametrization", "variances",
    "bias_variance", "order", "coefficients",
    "coefficients_hold", "kernel", "nngp", "taylor", "remainder", "hermite", "steps",
]  # fmt: skip


@cache
def derived(name: str, parametrization: str = "standard") -> KernelDerivation:
    return derive(network(name, parametrization=parametrization))


def wide_rows() -> np.ndarray:
    """Equal, opposite, zero and other rows with norms from 1e-150 to 1e150."""
    rng = np.random.default_rng(8)
    u, v = rng.standard_normal((2, 4))
    sizes = (1e-150, 1e-90, 1e-30, 1.0, 1e30, 1e90, 1e150)
    return np.array(
        [
            *(s * x for s in sizes for x in (u, v)),
            1e150 * u,
            -1e150 * u,
            np.zeros(4),
            -u,
            5e-324 * np.eye(4)[0],
        ]
    )


def assert_same(
    found: np.ndarray, expected: np.ndarray, X: np.ndarray, degree: int, tolerance: float
) -> None:
    """Equal up to tolerance sqrt(K_ii K_jj), which grows as |x|^degree and may leave float64 on either side."""
    sizes = np.where(X.any(axis=1), np.max(np.abs(X), axis=1), 1.0)
    norms = np.log10(sizes) + np.log10(np.linalg.norm(X / sizes[:, None], axis=1).clip(1.0))
    one = int(np.argmin(np.where(X.any(axis=1), np.abs(norms), np.inf)))
    allowed = np.log10(tolerance * expected[one, one]) + degree * (norms[:, None] + norms - 2 * norms[one])
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        error = np.abs(found - expected)
        # 1e-322: some of the smallest numbers. Infinite on one side only: where the tolerance is out of range too.
        same = (found == expected) | (error <= 1e-322) | (np.log10(error) <= allowed)
        same |= np.isinf(error) & (allowed > 308.25)
    assert same.all(), np.argwhere(~same)


DEGREE = {"relu": 1, "reglu": 2, "gqu": 3, "relu2": 2}


@pytest.mark.parametrize(("name", "parametrization"), CASES)
def test_the_emitted_module_is_the_kernel_function_to_the_last_digit(name: str, parametrization: str) -> None:
    result = derived(name, parametrization)
    emitted = ModuleType("emitted")
    exec(compile(render(result, "python"), "emitted", "exec"), emitted.__dict__)
    width = {"m": WIDTH} if result.kernel.off_diagonal.has(m) else {}
    for X in (wide_rows(), np.random.default_rng(0).standard_normal((30, 5))):
        # The geometry is the same code; the profile's constants are folded in another order: 4 roundings or so.
        for kind, arguments in (("ntk", width), ("nngp", {})):
            K = getattr(emitted, f"{name}_{kind}")(X, **arguments)
            expected = kernel_function(result, kind, WIDTH)(X)  # type: ignore[arg-type]
            assert_same(K, expected, X, DEGREE[name], 1e-15)


@pytest.mark.skipif(shutil.which("cc") is None, reason="not run: there is no C compiler")
@pytest.mark.parametrize(("name", "parametrization"), CASES)
def test_the_c_source_holds_from_1e_minus_150_to_1e150(
    name: str, parametrization: str, tmp_path: Path
) -> None:
    result = derived(name, parametrization)
    source, library = tmp_path / "kernel.c", tmp_path / "kernel.so"
    source.write_text(render(result, "c"))
    flags = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-shared", "-fPIC"]
    done = subprocess.run(
        ["cc", *flags, str(source), "-o", str(library), "-lm"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    compiled = ctypes.CDLL(str(library))
    X = wide_rows()
    for kind, kernel in (("ntk", result.kernel), ("nngp", result.nngp)):
        function = getattr(compiled, f"{name}_{kind}_matrix")
        function.restype = None
        K = np.empty((len(X), len(X)))
        width = (ctypes.c_double(WIDTH),) if kernel.off_diagonal.has(m) else ()
        pointers = (ctypes.c_void_p(X.ctypes.data), ctypes.c_void_p(K.ctypes.data))
        function(pointers[0], ctypes.c_size_t(len(X)), ctypes.c_size_t(4), *width, pointers[1])
        assert_same(K, kernel_function(result, kind, WIDTH)(X), X, DEGREE[name], 1e-13)  # type: ignore[arg-type]
        np.testing.assert_array_equal(K, K.T)


@pytest.mark.skipif(find_spec("ruff") is None, reason="not run: ruff is not installed")
@pytest.mark.parametrize("name", NETWORKS)
def test_the_emitted_module_has_no_unused_or_undefined_name(name: str) -> None:
    source = render(derived(name), "python")
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "F", "-"],
        input=source,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="not run: there is no pdflatex")
def test_latex_compiles(tmp_path: Path) -> None:
    (tmp_path / "derivation.tex").write_text(render(derived("relu2"), "latex", steps=True))
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "derivation.tex"]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, errors="replace", check=False
    )
    assert done.returncode == 0, done.stdout[-2000:]


@pytest.mark.parametrize("name", ["leaky_relu", "relu2", "gqu"])
def test_latex_opens_and_closes_every_environment_and_brace(name: str) -> None:
    text = render(derived(name), "latex", steps=True)
    depth = 0
    open_environments: list[str] = []
    position = 0
    while position < len(text):
        if text[position] == "\\":
            for word, opens in ((r"\begin{", True), (r"\end{", False)):
                if text.startswith(word, position):
                    environment = text[position + len(word) : text.index("}", position)]
                    if opens:
                        open_environments.append(environment)
                    else:
                        assert open_environments.pop() == environment
            position += 2
            continue
        depth += {"{": 1, "}": -1}.get(text[position], 0)
        assert depth >= 0
        position += 1
    assert depth == 0
    assert open_environments == []
    assert text.count(r"\left") - text.count(r"\leftarrow") == text.count(r"\right") - text.count(
        r"\rightarrow"
    )


def test_json_keys_are_those_of_the_contract_in_order_and_all_its_formulas_parse() -> None:
    for name, parametrization in (("relu2", "standard"), ("gqu", "ntk")):
        result = derived(name, parametrization)
        content = json.loads(render(result, "json"))
        assert list(content) == KEYS
        assert isinstance(content["schema"], int)
        assert (content["network"], content["parametrization"]) == (name, parametrization)
        assert list(content["coefficients"]) == ["alpha", "beta", "gamma"]
        assert list(content["kernel"]) == ["off_diagonal", "diagonal"]
        assert all(list(entry) == ["value", "radius"] for entry in content["hermite"])
        assert len(content["taylor"]) == len(content["hermite"]) == 9
        assert len(content["steps"]) == len(result.steps)
        names = {str(symbol): symbol for symbol in sp.sympify(result.kernel.off_diagonal).free_symbols | {m}}
        names |= {
            str(symbol): symbol for value in result.expansion.coefficients for symbol in value.free_symbols
        }
        assert sp.sympify(content["remainder"], names) == result.expansion.remainder


def test_help_and_version_load_neither_sympy_nor_numpy() -> None:
    for option in ("--help", "--version"):
        script = (
            "import sys\nfrom verify.cli import main\nsys.argv = ['gluntk', sys.argv[1]]\n"
            "try:\n    main()\nexcept SystemExit as exit:\n    assert not exit.code\n"
            "heavy = {'sympy', 'numpy', 'scipy', 'mpmath', 'matplotlib'} & set(sys.modules)\nassert not heavy, heavy"
        )
        done = subprocess.run(
            [sys.executable, "-c", script, option], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert "gluntk" in done.stdout


def test_growing_exponentials_keep_their_digits_in_numpy_and_in_emitted_python() -> None:
    # |x|^2 / d up to 300: the exponent is 600, and float64 norms would leave an error of 1e-13.
    X = np.sqrt(3 * 300) * np.array([[0.6, 0.8, 0.0], [0.6, 0.8, 1e-3], [0.0, 0.6, 0.8]])
    X[2] /= 20
    K = kernel_function("exp", width=7)(X)
    with mp.workdps(50):
        rows = [[mp.mpf(float(value)) for value in row] for row in X]
        exact = [[mp.fdot(x, y) / 3 for y in rows] for x in rows]
        for i, j in ((0, 0), (0, 1), (1, 0), (0, 2), (2, 2)):
            c = exact[i][j]
            value = mp.exp((exact[i][i] + exact[j][j]) / 2 + c) * (7 + 3 * c)
            # relative to sqrt(K_ii K_jj)
            assert abs(mp.mpf(float(K[i, j])) - value) < 2e-15 * mp.sqrt(
                mp.exp(2 * exact[i][i])
                * (7 + 3 * exact[i][i])
                * mp.exp(2 * exact[j][j])
                * (7 + 3 * exact[j][j])
            )
    scope: dict[str, object] = {}
    exec(render(derive("exp"), "python"), scope)
    emitted = scope["exp_ntk"]
    assert callable(emitted)
    assert np.array_equal(emitted(X, m=7), K)
