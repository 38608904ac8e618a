"""Run the notebooks from a fresh kernel and write them back: ``python notebooks/execute.py``."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

FOLDER = Path(__file__).resolve().parent
NOTEBOOKS = tuple(sorted(FOLDER.glob("*.ipynb")))
# Many small products: on a busy machine threads that wait for one another make them ten times slower.
ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"), "1")
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def executed(notebook: NotebookNode, timeout: int = 300) -> NotebookNode:
    """Run all cells, in the repository's root; an exception in a cell is raised here.

    Outputs and metadata hold nothing of the machine or the clock: they change only when results do.
    """
    with tempfile.TemporaryDirectory() as profile:
        # The user's own profile, history and start-up files must not reach a notebook.
        environment = os.environ | ONE_THREAD | {"IPYTHONDIR": profile}
        client = NotebookClient(
            notebook,
            timeout=timeout,
            kernel_name="python3",
            allow_errors=False,
            record_timing=False,
            extra_arguments=["--IPKernelApp.log_level=ERROR"],
            resources={"metadata": {"path": str(FOLDER.parent)}},
        )
        client.execute(env=environment)
    notebook.metadata = NotebookNode(kernelspec=NotebookNode(KERNEL), language_info={"name": "python"})
    for cell in notebook.cells:
        cell.metadata = NotebookNode()
        if cell.cell_type == "code":
            cell.outputs = _joined(cell.outputs)
    return notebook


def _joined(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """The outputs with adjacent pieces of one stream put together: where it is cut depends on the clock."""
    joined: list[NotebookNode] = []
    for output in outputs:
        if joined and output.output_type == "stream" and output.name == joined[-1].get("name"):
            joined[-1].text += output.text
        else:
            joined.append(output)
    return joined


def main() -> None:
    for path in NOTEBOOKS:
        nbformat.write(executed(nbformat.read(path, as_version=4)), path)


if __name__ == "__main__":
    main()
