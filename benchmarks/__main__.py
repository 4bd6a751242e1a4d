"""Run all benchmarks, one after another."""

from benchmarks import eager, step, tracing

if __name__ == "__main__":
    for module in (tracing, eager, step):
        print(module.__doc__)
        module.main()
        print()
