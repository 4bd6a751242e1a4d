"""Run all benchmarks, one after another."""

from benchmarks import eager, matrices, second_order, step, tracing, wrappers

if __name__ == "__main__":
    for module in (tracing, eager, step, wrappers, matrices, second_order):
        print(module.__doc__)
        module.main()
        print()
