"""The race: optimizers side by side on a real network and real data, `python -m gradtx race`.

`import gradtx` does not import it: it wants matplotlib, scikit-learn and tqdm, the extra `gradtx[race]`.
"""
