"""The notebook runs from top to bottom, and its optimizers descend as shown."""

import pathlib

import nbclient
import nbformat

TOUR = pathlib.Path(__file__).parent.parent / "notebooks" / "tour.ipynb"

# An extra last cell, which checks the results of the other cells.
CHECK = """
assert final["adam"] < 1e-2 and final["momentum"] < final["sgd"], final
assert bool(jnp.all(jnp.isfinite(losses))) and float(best) > 0.01
assert float(scheduled) < 0.1 and float(on_plateau) < 1.0 and own < 0.1, (scheduled, on_plateau, own)
"""


def test_the_tour_runs_and_its_optimizers_descend():
    notebook = nbformat.read(TOUR, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell(CHECK))
    nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(TOUR.parent.parent)}}).execute()
