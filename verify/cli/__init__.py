"""The command line. Commands import what they need when they run: `--help` must not wait for SymPy."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from verify.cli import claims, kernels, learning


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="gluntk", message="gluntk %(version)s")
def gluntk() -> None:
    """Derive, emit and verify neural tangent kernels of gated linear units.

    \b
    Example:
      $ gluntk derive reglu
      The NTK of reglu in the standard parametrization
      ...
        alpha = 1/(2*d) + m/(4*d**2)
        beta = 1/(2*pi*d) + m/(2*pi*d**2)
    """


for command in (
    claims.list_,
    kernels.derive,
    kernels.kernel,
    kernels.empirical,
    kernels.spectrum,
    learning.compare,
    learning.design,
    learning.dynamics,
    learning.generalise,
    claims.verify,
    claims.show,
    claims.regimes,
):
    gluntk.add_command(command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point: bad input is one line on stderr and exit code 2, never a traceback."""
    from derivations.errors import InputError

    try:
        code = gluntk.main(arguments, prog_name="gluntk", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        code = 2
    except (click.ClickException, InputError) as error:
        message = error.format_message() if isinstance(error, click.ClickException) else str(error)
        click.echo("gluntk: " + " ".join(message.split()), err=True)
        code = 2
    except MemoryError:
        click.echo("gluntk: the machine's memory is too small for these data; use fewer rows", err=True)
        code = 2
    except (KeyboardInterrupt, click.Abort):
        click.echo("gluntk: interrupted", err=True)
        code = 130
    except OSError as error:
        click.echo(f"gluntk: standard output must be writable, got: {error.strerror or error}", err=True)
        # What is left in the buffer would fail once more when the interpreter closes it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 2
    except SystemExit:
        # Click's answer to a closed pipe: the reader (head, less) has what it wanted.
        code = 0
    sys.exit(code or 0)
