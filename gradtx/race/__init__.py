"""Race optimizers against each other on a real network and real data: `python -m gradtx race`.

`import gradtx` does not import this package. It needs matplotlib, scikit-learn and tqdm: `pip install "gradtx[race]"`.
"""
