"""Write torch_optimizers.json and torch_schedules.json: what PyTorch's optimizers and schedulers do, in float64.

Run it with any Python that has torch (the files here came from PyTorch 2.13.0, CPU); it needs nothing of this library:

    python tests/data/make_torch.py

torch_optimizers.json holds, for each name, the `class` in torch.optim, its `options`, the `start`, the `steps` looked
at and the `path`: the parameters after that many steps down the gradient 2 p + sin(5 p), taken elementwise. An ASGD
entry also has the averaged parameters `ax` at those steps, as `average`. An option that is left out has PyTorch's
default, the rate `lr` included.

torch_schedules.json holds, for each name, the `class` in torch.optim.lr_scheduler, its `options`, the optimizer's own
`rate` and the `values`: the rates that steps 0 to 120 take. SequentialLR's `schedulers` are pairs of a class and its
options. A ReduceLROnPlateau entry also has the `losses`: the rate of step i is the one before the loss of step i is
shown to the scheduler.
"""

import json
import math
import pathlib
import warnings

VECTOR = [1.0, -2.0, 0.5, 0.0]
MATRIX = [[1.0, -2.0, 0.5], [0.25, 3.0, -0.75]]
STEPS = [1, 2, 3, 5, 10, 20, 50, 100]
RATES = 121

OPTIMIZERS = {
    "SGD": {
        "plain": {"lr": 0.05},
        "momentum": {"lr": 0.02, "momentum": 0.9},
        "nesterov": {"lr": 0.02, "momentum": 0.9, "nesterov": True},
        "dampening": {"lr": 0.05, "momentum": 0.8, "dampening": 0.3},
        "weight_decay": {"lr": 0.05, "weight_decay": 0.1},
        "maximize": {"lr": 0.005, "maximize": True},
        "momentum_weight_decay": {"lr": 0.02, "momentum": 0.9, "weight_decay": 0.1},
        "nesterov_weight_decay": {"lr": 0.02, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1},
        "dampening_weight_decay": {"lr": 0.05, "momentum": 0.8, "dampening": 0.3, "weight_decay": 0.1},
        "maximize_weight_decay": {"lr": 0.005, "momentum": 0.5, "weight_decay": 0.1, "maximize": True},
        "matrix": {"lr": 0.02, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01},
    },
    "Muon": {
        "matrix": {"lr": 0.02},
        "rms_matrix": {"lr": 0.01, "weight_decay": 0.0, "adjust_lr_fn": "match_rms_adamw"},
        "plain_matrix": {"lr": 0.02, "momentum": 0.8, "nesterov": False},
        "own_matrix": {"lr": 0.02, "ns_coefficients": [2.0, -1.5, 0.5], "ns_steps": 12},
    },
    "Adagrad": {
        "default": {},
        "rate": {"lr": 0.3},
        "initial_accumulator_value": {"lr": 0.3, "initial_accumulator_value": 0.1},
        "weight_decay": {"lr": 0.3, "weight_decay": 0.1},
        "eps": {"lr": 0.3, "eps": 0.01},
        "lr_decay": {"lr": 0.3, "lr_decay": 0.05},
    },
    "RMSprop": {
        "default": {},
        "alpha": {"lr": 0.02, "alpha": 0.9},
        "eps": {"lr": 0.02, "eps": 0.01},
        "centered": {"lr": 0.01, "centered": True},
        "momentum": {"lr": 0.01, "momentum": 0.9},
        "centered_momentum": {"lr": 0.005, "centered": True, "momentum": 0.9, "alpha": 0.95},
        "weight_decay": {"lr": 0.02, "weight_decay": 0.1},
        "all": {"lr": 0.005, "centered": True, "momentum": 0.8, "alpha": 0.95, "eps": 1e-4, "weight_decay": 0.1},
    },
    "Adadelta": {
        "default": {},
        "rho": {"rho": 0.95},
        "eps": {"eps": 1e-3},
        "rate": {"lr": 0.5, "rho": 0.8, "eps": 1e-4},
        "weight_decay": {"eps": 1e-3, "weight_decay": 0.1},
    },
    "Rprop": {
        "default": {},
        "etas": {"lr": 0.05, "etas": [0.4, 1.3]},
        "step_sizes": {"lr": 0.05, "step_sizes": [0.01, 0.2]},
        "maximize": {"lr": 0.001, "etas": [0.5, 1.05], "maximize": True},
    },
    "Adam": {
        "default": {},
        "rate": {"lr": 0.05},
        "betas": {"lr": 0.05, "betas": [0.8, 0.95]},
        "eps": {"lr": 0.05, "eps": 0.01},
        "weight_decay": {"lr": 0.05, "weight_decay": 0.1},
        "amsgrad": {"lr": 0.05, "betas": [0.9, 0.9], "amsgrad": True},
        "amsgrad_weight_decay": {"lr": 0.05, "betas": [0.9, 0.9], "amsgrad": True, "weight_decay": 0.1},
        "maximize": {"lr": 0.01, "maximize": True},
        "matrix": {"lr": 0.05},
        "amsgrad_matrix": {"lr": 0.05, "betas": [0.9, 0.9], "amsgrad": True, "weight_decay": 0.1},
    },
    "AdamW": {
        "default": {},
        "rate": {"lr": 0.05},
        "weight_decay": {"lr": 0.05, "weight_decay": 0.2},
        "amsgrad": {"lr": 0.05, "betas": [0.9, 0.9], "amsgrad": True},
        "betas": {"lr": 0.05, "betas": [0.8, 0.95], "eps": 1e-4, "weight_decay": 0.1},
        "matrix": {"lr": 0.05, "weight_decay": 0.1},
    },
    "NAdam": {
        "default": {},
        "rate": {"lr": 0.05},
        "momentum_decay": {"lr": 0.05, "momentum_decay": 0.02},
        "weight_decay": {"lr": 0.05, "weight_decay": 0.1},
        "decoupled_weight_decay": {"lr": 0.05, "weight_decay": 0.1, "decoupled_weight_decay": True},
        "betas": {"lr": 0.05, "betas": [0.8, 0.95], "eps": 1e-4},
    },
    "RAdam": {
        "default": {},
        "rate": {"lr": 0.05},
        "betas": {"lr": 0.05, "betas": [0.8, 0.95], "eps": 1e-4},
        "weight_decay": {"lr": 0.05, "weight_decay": 0.1},
        "decoupled": {"lr": 0.05, "weight_decay": 0.1, "decoupled_weight_decay": True},
    },
    "Adamax": {
        "default": {},
        "rate": {"lr": 0.05},
        "betas": {"lr": 0.05, "betas": [0.8, 0.95], "eps": 1e-4},
        "weight_decay": {"lr": 0.05, "weight_decay": 0.1},
    },
    "ASGD": {
        "default": {"lr": 0.05},
        "lambd": {"lr": 0.05, "lambd": 0.1},
        "t0": {"lr": 0.05, "t0": 10},
        "alpha": {"lr": 0.05, "alpha": 0.5, "lambd": 0.05, "t0": 1},
        "weight_decay": {"lr": 0.05, "weight_decay": 0.1, "t0": 5},
    },
    "Adafactor": {
        "default_matrix": {},
        "default": {},
        "rate_matrix": {"lr": 0.1},
        "rate": {"lr": 0.1},
        "d_matrix": {"lr": 0.1, "d": 1.2},
        "d": {"lr": 0.1, "d": 1.2},
        "beta2_decay_matrix": {"lr": 0.1, "beta2_decay": -0.5},
        "weight_decay_matrix": {"lr": 0.1, "weight_decay": 0.1},
        "weight_decay": {"lr": 0.1, "weight_decay": 0.1},
        "eps_matrix": {"lr": 0.1, "eps": [1e-30, 0.5]},
    },
}

WARMUP_COSINE = {
    "schedulers": [
        ["LinearLR", {"start_factor": 0.1, "end_factor": 1.0, "total_iters": 10}],
        ["CosineAnnealingLR", {"T_max": 110, "eta_min": 0.01}],
    ],
    "milestones": [10],
}

SCHEDULES = {
    "StepLR": {"default": {"step_size": 30}, "gamma": {"step_size": 7, "gamma": 0.7}},
    "MultiStepLR": {"default": {"milestones": [10, 40, 80]}, "gamma": {"milestones": [3, 3, 50], "gamma": 0.5}},
    "ConstantLR": {"default": {}, "factor": {"factor": 0.25, "total_iters": 20}},
    "LinearLR": {
        "default": {},
        "warmup": {"start_factor": 0.1, "total_iters": 25},
        "decay": {"start_factor": 1.0, "end_factor": 0.2, "total_iters": 60},
    },
    "ExponentialLR": {"default": {"gamma": 0.97}},
    "PolynomialLR": {"default": {}, "linear": {"total_iters": 80}, "power": {"total_iters": 100, "power": 2.5}},
    "CosineAnnealingLR": {
        "default": {"T_max": 120},
        "eta_min": {"T_max": 120, "eta_min": 0.05},
        "up_again": {"T_max": 40, "eta_min": 0.05},
    },
    "CosineAnnealingWarmRestarts": {
        "default": {"T_0": 20},
        "t_mult": {"T_0": 15, "T_mult": 2},
        "eta_min": {"T_0": 10, "T_mult": 2, "eta_min": 0.05},
        "triple": {"T_0": 7, "T_mult": 3},
    },
    "CyclicLR": {
        "triangular": {"step_size_up": 10},
        "triangular_down": {"step_size_up": 10, "step_size_down": 25},
        "triangular2": {"step_size_up": 10, "mode": "triangular2"},
        "triangular2_down": {"step_size_up": 8, "step_size_down": 17, "mode": "triangular2"},
        "exp_range": {"step_size_up": 10, "mode": "exp_range", "gamma": 0.98},
        "exp_range_down": {"step_size_up": 8, "step_size_down": 17, "mode": "exp_range", "gamma": 0.98},
    },
    "OneCycleLR": {
        "cos": {},
        "linear": {"anneal_strategy": "linear"},
        "cos_three_phase": {"three_phase": True},
        "linear_three_phase": {"anneal_strategy": "linear", "three_phase": True},
        "factors": {"pct_start": 0.4, "div_factor": 10.0, "final_div_factor": 100.0},
        "factors_three_phase": {"pct_start": 0.4, "div_factor": 10.0, "final_div_factor": 100.0, "three_phase": True},
    },
    "SequentialLR": {"warmup_cosine": WARMUP_COSINE},
    "ReduceLROnPlateau": {
        "default": {},
        "patience": {"patience": 3, "factor": 0.5},
        "no_patience": {"patience": 0, "factor": 0.9},
        "rel": {"patience": 2, "factor": 0.5, "threshold": 0.05, "threshold_mode": "rel"},
        "abs": {"patience": 2, "factor": 0.5, "threshold": 0.05, "threshold_mode": "abs"},
        "cooldown": {"patience": 2, "factor": 0.5, "cooldown": 6},
        "min_lr": {"patience": 2, "factor": 0.5, "min_lr": 0.02},
        "eps": {"patience": 2, "factor": 0.5, "eps": 0.01},
        "max": {"mode": "max", "patience": 2, "factor": 0.8},
        "max_abs": {"mode": "max", "patience": 2, "factor": 0.8, "threshold": 0.05, "threshold_mode": "abs"},
    },
}


def shared_options(name):
    """The options that every schedule of a class has in common."""
    if name == "CyclicLR":
        return {"base_lr": 0.1, "max_lr": 0.5, "cycle_momentum": False}
    if name == "OneCycleLR":
        return {"max_lr": 0.5, "total_steps": RATES, "cycle_momentum": False}
    return {}


def tuples(options):
    return {name: tuple(value) if isinstance(value, list) else value for name, value in options.items()}


def descend(name, options, start):
    import torch

    p = torch.tensor(start, dtype=torch.float64)
    more = {} if name == "Muon" else {"foreach": False}
    optimizer = getattr(torch.optim, name)([p], **more, **tuples(options))
    path, average = [], []
    for step in range(1, max(STEPS) + 1):
        p.grad = 2 * p + torch.sin(5 * p)
        optimizer.step()
        if step in STEPS:
            path.append(p.tolist())
            if name == "ASGD":
                average.append(optimizer.state[p]["ax"].tolist())
    entry = {"class": name, "options": options, "start": start, "steps": STEPS, "path": path}
    return {**entry, "average": average} if average else entry


def losses():
    """A loss that falls, wobbles, stays where it is and falls again."""
    return [
        round(0.3 + math.exp(-min(i, 40) / 12) + 0.03 * math.sin(1.7 * i) - 0.002 * max(i - 80, 0), 6)
        for i in range(RATES)
    ]


def scheduler(name, optimizer, options):
    from torch.optim import lr_scheduler

    if name == "SequentialLR":
        parts = [scheduler(part, optimizer, its) for part, its in options["schedulers"]]
        return lr_scheduler.SequentialLR(optimizer, parts, options["milestones"])
    return getattr(lr_scheduler, name)(optimizer, **options)


def rates(name, options, rate=0.4):
    import torch

    p = torch.zeros(1, dtype=torch.float64)
    optimizer = torch.optim.SGD([p], lr=rate)
    options = {**shared_options(name), **options}
    schedule = scheduler(name, optimizer, options)
    entry = {"class": name, "options": options, "rate": rate}
    if name == "ReduceLROnPlateau":
        entry["losses"] = losses()
    values = []
    for i in range(RATES):
        values.append(float(optimizer.param_groups[0]["lr"]))
        p.grad = torch.zeros_like(p)
        optimizer.step()
        if i + 1 < RATES:
            schedule.step(*entry["losses"][i : i + 1] if name == "ReduceLROnPlateau" else ())
    return {**entry, "values": values}


def write(file, entries):
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(entry, allow_nan=False)}" for name, entry in entries.items())
    pathlib.Path(__file__).with_name(file).write_text("{\n" + lines + "\n}\n")


def main():
    import torch

    torch.Tensor.bfloat16 = torch.Tensor.clone  # Muon iterates in full precision here
    torch.set_default_dtype(torch.float64)  # NAdam and ASGD keep scalars of the default dtype in their states
    optimizers = {
        f"{name}-{label}": descend(name, options, MATRIX if label.endswith("matrix") else VECTOR)
        for name, cases in OPTIMIZERS.items()
        for label, options in cases.items()
    }
    schedules = {
        f"{name}-{label}": rates(name, options) for name, cases in SCHEDULES.items() for label, options in cases.items()
    }
    write("torch_optimizers.json", optimizers)
    write("torch_schedules.json", schedules)


if __name__ == "__main__":
    warnings.filterwarnings("ignore", category=UserWarning)  # SequentialLR steps its parts as PyTorch itself deprecates
    main()
