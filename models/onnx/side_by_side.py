#!/usr/bin/env python3
"""Lockstep's predictions beside ONNX Runtime's, of one autoregressive network, on one thread of one core.

    cargo build --release --package lockstep-lab
    python3 -m venv venv && venv/bin/pip install onnx onnxruntime numpy safetensors
    venv/bin/python models/onnx/side_by_side.py models/weights/lockstep.safetensors --lab target/release/lab

Builds the network of a weights file as one ONNX graph, so that one Run answers one measure: the trunk for all minds that
the network needs (with and without its own drums) as one batch, and the decoder for sixteen steps of as many voices as the
weights have, unrolled, with the logistic draws as an input. `cargo lab bench --weights FILE --case FILE` writes requests and
Lockstep's answers; both must decide the same hits, from log-odds that differ by less than 1e-4. Then both are timed in
alternating blocks on the same core (`--core`), so that what else the machine does meets both.

What is fair and what is not: ONNX Runtime has every graph optimisation on, one thread, its inputs bound once, and nothing of
Python between two looks at the clock but the Run call. Lockstep's time has more in it: planes of bass and drums made from the
request, the draws, and velocity and timing of every hit.

Needs Linux for the core and for Lockstep's peak memory; any Python from 3.10 on.
"""

import argparse
import json
import os
import struct
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load_file

N_STEPS = 16
N_MEASURES = 4
TRUNK_WIDTH = 96
DECODER_WIDTH = 128
# Numbers that a network without controls is told: place and tempo, the first of those in the case.
N_PLACE = 7
# How far the log-odds may lie apart.
TOLERANCE = 1e-4
# Runs before the clock, as `cargo lab bench` has them.
WARM_UP = 50


class Graph:
    """An ONNX graph that grows node by node; every method returns the name of what it computes."""

    def __init__(self):
        self.nodes = []
        self.constants = []
        self.n_names = 0

    def name(self):
        self.n_names += 1
        return f"x{self.n_names}"

    def constant(self, values, dtype=np.float32):
        name = self.name()
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values, dtype), name))
        return name

    def node(self, op, *inputs, n_outputs=1, **attributes):
        outputs = [self.name() for _ in range(n_outputs)]
        self.nodes.append(helper.make_node(op, list(inputs), outputs, **attributes))
        return outputs[0] if n_outputs == 1 else outputs

    def shaped(self, x, shape):
        return self.node("Reshape", x, self.constant(shape, np.int64))

    def affine(self, x, weights, layer, rectified=True):
        """x @ weight + bias over the last axis, negative values cut off where it is rectified."""
        product = self.node("MatMul", x, self.constant(weights[f"{layer}.weight"]))
        y = self.node("Add", product, self.constant(weights[f"{layer}.bias"]))
        return self.node("Relu", y) if rectified else y

    def cut(self, x, axis, begin, end):
        one = [self.constant([i], np.int64) for i in (begin, end, axis)]
        return self.node("Slice", x, *one)


def config_of(path):
    """The `config` of a weights file's header."""
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        metadata = json.loads(file.read(length)).get("__metadata__", {})
    if metadata.get("architecture") != "autoregressive":
        raise SystemExit(f"{path} is {metadata.get('architecture')!r}; only an autoregressive network can be compared")
    config = json.loads(metadata["config"])
    kind = config["architecture"]["bass"]["kind"]
    if kind != "convolution":
        raise SystemExit(f"{path} hears the bass by {kind!r}; only \"convolution\" is built here")
    return config


def pyramid(graph, weights, player, steps, n_minds):
    """From steps `(minds, 4, 16, 32)` to beats and measures, as `network/hearing.rs` does."""
    beats = graph.shaped(steps, [n_minds, N_MEASURES, 4, -1])
    beats = graph.affine(beats, weights, f"{player}.beat")
    measures = graph.shaped(beats, [n_minds, N_MEASURES, 1, -1])
    measures = graph.affine(measures, weights, f"{player}.measure")
    return beats, measures


def four_deep(graph, x, n_minds, n_positions):
    """Puts the four measures into the channels: `(minds, 4, positions, C)` to `(minds, positions, 4 * C)`."""
    if n_positions > 1:
        x = graph.node("Transpose", x, perm=[0, 2, 1, 3])
    return graph.shaped(x, [n_minds, n_positions, -1])


def trunk(graph, weights, config, n_minds):
    """Features of each step, `(minds, 16, TRUNK_WIDTH)`, as `network/generator/trunk.rs` makes them."""
    steps = graph.affine("bass", weights, "bass.step")
    bass_beats, bass_measures = pyramid(graph, weights, "bass", steps, n_minds)
    if config["architecture"].get("controls", False):
        steps = graph.node("Add", steps, graph.affine("accents", weights, "bass.accent", rectified=False))
    own_steps = graph.affine("own", weights, "own.step")
    own_beats, own_measures = pyramid(graph, weights, "own", own_steps, n_minds)
    players = (steps, own_steps), (bass_beats, own_beats), (bass_measures, own_measures)
    deep_steps, deep_beats, deep_measures = (
        [four_deep(graph, x, n_minds, n) for x in of_scale] for of_scale, n in zip(players, (N_STEPS, 4, 1))
    )
    n_given = weights["drums.mix_latent.weight"].shape[0]
    given = graph.shaped("given", [n_minds, 1, n_given])

    x = graph.node("Concat", *deep_measures, given, axis=2)
    x = graph.affine(x, weights, "drums.measure")
    x = graph.affine(graph.node("Concat", x, given, axis=2), weights, "drums.to_beats")
    x = graph.shaped(x, [n_minds, 4, -1])
    given_by_beat = graph.node("Expand", given, graph.constant([n_minds, 4, n_given], np.int64))
    x = graph.node("Concat", x, *deep_beats, given_by_beat, axis=2)
    x = graph.shaped(graph.affine(x, weights, "drums.to_steps"), [n_minds, N_STEPS, -1])
    x = graph.affine(graph.node("Concat", x, *deep_steps, axis=2), weights, "drums.mix", rectified=False)
    # What each step gives to the next, to itself and to the one before.
    to_next, itself, to_last = graph.node("Split", x, axis=2, num_outputs=3, n_outputs=3)
    silence = graph.constant(np.zeros((n_minds, 1, TRUNK_WIDTH)))
    from_before = graph.node("Concat", silence, graph.cut(to_next, 1, 0, N_STEPS - 1), axis=1)
    from_after = graph.node("Concat", graph.cut(to_last, 1, 1, N_STEPS), silence, axis=1)
    x = graph.node("Sum", from_before, from_after, itself, graph.affine(given, weights, "drums.mix_latent", rectified=False))
    return graph.node("Relu", x)


def decoder(graph, weights, config, features, shares):
    """Hits, log-odds and what else is said of each cell, decided as `network/generator/decoder.rs` and `predict.rs` do.

    What a naive graph would do step by step is done at once where it can be: the share of the features, and that of the
    hits of the measure before, whose places in the sixteen steps of memory are known from the start.
    """
    n_minds = len(shares)
    join, taps = np.split(weights["drums.join.weight"], [TRUNK_WIDTH])
    n_voices = voices_of(weights)
    taps = taps.reshape(N_STEPS, n_voices, DECODER_WIDTH)
    known = graph.node("MatMul", features, graph.constant(join))
    known = graph.node("Add", known, graph.constant(weights["drums.join.bias"]))
    # At step t the tap i holds step t + i of the measure before, as long as there is one.
    of_last = np.zeros((N_STEPS, n_voices, N_STEPS, DECODER_WIDTH), np.float32)
    for step in range(N_STEPS):
        for tap in range(N_STEPS - step):
            of_last[step + tap, :, step] = taps[tap]
    last = graph.cut("own", 1, N_MEASURES - 1, N_MEASURES)
    last = graph.shaped(graph.cut(last, 3, 0, n_voices), [n_minds, N_STEPS * n_voices])
    last = graph.node("MatMul", last, graph.constant(of_last.reshape(N_STEPS * n_voices, -1)))
    known = graph.node("Add", known, graph.shaped(last, [n_minds, N_STEPS, DECODER_WIDTH]))
    known = graph.node("Split", known, axis=1, num_outputs=N_STEPS, n_outputs=N_STEPS)

    per_voice = {key: np.broadcast_to(np.float32(config[key]), n_voices) for key in ("temperature", "lean")}
    pushes = graph.node("Mul", "draws", graph.constant(per_voice["temperature"]))
    pushes = graph.node("Add", pushes, graph.constant(per_voice["lean"]))
    pushes = graph.node("Split", pushes, axis=0, num_outputs=N_STEPS, n_outputs=N_STEPS)

    # A voice tells those that are declared after it. One row at a time, so that each is settled before it is heard.
    within = np.triu(weights["drums.within.weight"], 1)
    rows = [graph.constant(np.diag(np.eye(n_voices)[voice]) @ within) for voice in range(n_voices - 1)]
    deepen = [graph.constant(weights[f"drums.deepen.{part}"]) for part in ("weight", "bias")]
    output = [graph.constant(weights[f"drums.output.{part}"]) for part in ("weight", "bias")]
    mean = graph.constant(np.float32(shares).reshape(1, n_minds)) if n_minds > 1 else None

    hits, presences, others = [], [], []
    for step in range(N_STEPS):
        x = graph.shaped(known[step], [n_minds, DECODER_WIDTH])
        if step > 0:
            so_far = graph.node("Concat", *hits, axis=1) if step > 1 else hits[0]
            of_own = graph.constant(taps[N_STEPS - step :].reshape(step * n_voices, DECODER_WIDTH))
            x = graph.node("Add", x, graph.node("MatMul", so_far, of_own))
        x = graph.node("Relu", x)
        x = graph.node("Add", x, graph.node("Relu", graph.node("Gemm", x, *deepen)))
        outputs = graph.node("Gemm", x, *output)
        if mean is not None:
            outputs = graph.node("MatMul", mean, outputs)
        said = graph.constant([n_voices, outputs_of(weights) - n_voices], np.int64)
        log_odds, rest = graph.node("Split", outputs, said, axis=1, n_outputs=2)
        z = graph.node("Add", log_odds, pushes[step])
        for row in rows:
            z = graph.node("Gemm", hit(graph, z), row, z)
        hits.append(hit(graph, z))
        presences.append(z)
        others.append(rest)
    for name, parts in (("hits", hits), ("presence", presences), ("rest", others)):
        graph.nodes.append(helper.make_node("Concat", parts, [name], axis=0))


def hit(graph, log_odds):
    """1 above 0, else 0, in one node: a line so steep that nothing lies on it."""
    return graph.node("HardSigmoid", log_odds, alpha=3e38, beta=0.0)


def voices_of(weights):
    """How many voices the weights have."""
    return weights["drums.within.weight"].shape[0]


def outputs_of(weights):
    return weights["drums.output.bias"].shape[0]


def session(weights, config, case):
    """The network as a session of ONNX Runtime on one thread."""
    shares = case["shares"][0]
    n_minds = len(shares)
    if not (case["shares"] == shares).all():
        raise SystemExit("the case's requests weigh their minds differently; one graph cannot hold them")
    graph = Graph()
    decoder(graph, weights, config, trunk(graph, weights, config, n_minds), shares)
    inputs = {name: case[name].shape[1:] for name in fed(config)}
    n_voices = voices_of(weights)
    n_rest = outputs_of(weights) - n_voices
    outputs = {"hits": (N_STEPS, n_voices), "presence": (N_STEPS, n_voices), "rest": (N_STEPS, n_rest)}
    infos = [
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in side.items()]
        for side in (inputs, outputs)
    ]
    model = helper.make_model(
        helper.make_graph(graph.nodes, "lockstep", *infos, graph.constants),
        opset_imports=[helper.make_opsetid("", 18)],
        ir_version=10,
    )
    onnx.checker.check_model(model)
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    made = ort.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])
    print(f"ONNX Runtime {ort.__version__}: {len(graph.nodes)} nodes before its optimisations; minds: {n_minds}")
    return made


def fed(config):
    """Names of the graph's inputs."""
    heard = ["bass", "own", "given", "draws"]
    return heard + ["accents"] if config["architecture"].get("controls", False) else heard


def bound(made, config, case, idx):
    """One request's inputs and its outputs in memory of their own, bound once."""
    binding = made.io_binding()
    for name in fed(config):
        binding.bind_ortvalue_input(name, ort.OrtValue.ortvalue_from_numpy(np.ascontiguousarray(case[name][idx])))
    outputs = {}
    for info in made.get_outputs():
        outputs[info.name] = np.zeros(info.shape, np.float32)
        outputs[info.name] = ort.OrtValue.ortvalue_from_numpy(outputs[info.name])
        binding.bind_ortvalue_output(info.name, outputs[info.name])
    return binding, outputs


def check(made, bindings, case):
    """Both decide alike, or this ends here."""
    worst = 0.0
    for idx, (binding, outputs) in enumerate(bindings):
        made.run_with_iobinding(binding)
        theirs, expected = outputs["presence"].numpy(), case["presence"][idx]
        if not (outputs["hits"].numpy() == (expected > 0)).all():
            raise SystemExit(f"request {idx}: the hits differ; the log-odds by {abs(theirs - expected).max():.2e}")
        worst = max(worst, float(abs(theirs - expected).max()))
    if worst > TOLERANCE:
        raise SystemExit(f"the log-odds differ by {worst:.2e}, more than {TOLERANCE}")
    print(f"{len(bindings)} measures: the same hits, log-odds at most {worst:.1e} apart")


def lockstep(arguments, folder, n_predictions):
    """A block of Lockstep's predictions; the case that it wrote."""
    path = Path(folder) / "case.safetensors"
    command = ["taskset", "-c", str(arguments.core), arguments.lab, "bench", "--weights", arguments.weights]
    command += ["--predictions", str(n_predictions), "--case", str(path)]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return load_file(path), told.strip().rpartition("; ")[2]


def block(made, bindings, n_predictions):
    """A block of ONNX Runtime's, in microseconds."""
    times = []
    for i in range(WARM_UP + n_predictions):
        binding = bindings[i % len(bindings)][0]
        begun = time.perf_counter_ns()
        made.run_with_iobinding(binding)
        times.append((time.perf_counter_ns() - begun) / 1e3)
    return times[WARM_UP:]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("weights", help="a weights file of the autoregressive family")
    parser.add_argument("--lab", default="target/release/lab", help="the built laboratory (default: %(default)s)")
    parser.add_argument("--core", type=int, default=0, help="the core for both (default: %(default)s)")
    parser.add_argument("--blocks", type=int, default=10, help="blocks of each (default: %(default)s)")
    parser.add_argument("--predictions", type=int, default=200, help="predictions a block (default: %(default)s)")
    arguments = parser.parse_args()
    if arguments.blocks * arguments.predictions < 1000:
        parser.error("--blocks times --predictions must be at least 1000, or a p99 says little")

    config = config_of(arguments.weights)
    weights = load_file(arguments.weights)
    os.sched_setaffinity(0, {arguments.core})
    ours, theirs, by_block = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        case, _ = lockstep(arguments, folder, 1)
        if not config["architecture"].get("controls", False):
            case["given"] = case["given"][:, :, :N_PLACE]
        made = session(weights, config, case)
        bindings = [bound(made, config, case, idx) for idx in range(len(case["bass"]))]
        check(made, bindings, case)
        for _ in range(arguments.blocks):
            times, memory = lockstep(arguments, folder, arguments.predictions)
            ours.extend(times["times_us"])
            theirs.extend(block(made, bindings, arguments.predictions))
            n = arguments.predictions
            by_block.append(np.median(theirs[-n:]) / np.median(ours[-n:]))
    for name, times in (("Lockstep", ours), ("ONNX Runtime", theirs)):
        p50, p99 = np.percentile(times, [50, 99])
        print(f"{name}: {len(times)} predictions, p50 {p50:.0f} µs, p99 {p99:.0f} µs")
    low, middle, high = np.percentile(by_block, [0, 50, 100])
    print(f"ONNX Runtime takes {middle:.2f} times as long, median of {len(by_block)} blocks ({low:.2f} to {high:.2f})")
    print(f"Lockstep: {memory}")


if __name__ == "__main__":
    main()
