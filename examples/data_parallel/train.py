"""Data-parallel training with ChainerMN: ``mpiexec -n 2 python examples/data_parallel/train.py``.

Each process takes every n-th sample; gradients are averaged before each update, so that n processes of batch b train as
one of batch n * b does. Needs mpi4py and an MPI.
"""

from __future__ import annotations

import argparse

import numpy as np

import kchainer
from kchainer import Sequential
from kchainer.layers import Dense

import chainer  # isort: skip  (kchainer first: it makes Chainer importable)
import chainermn


def main() -> None:
    """Train on half of the digits' batches each; rank 0 tells."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--batch", type=int, default=64, help="of all processes together")
    parser.add_argument("--out", help="where rank 0 writes the trained network (.npz)")
    args = parser.parse_args()
    from sklearn.datasets import load_digits

    data = load_digits()
    x, t = data.data.astype("f") / 16, np.eye(10, dtype="f")[data.target]
    comm = chainermn.create_communicator("naive")
    np.random.seed(0)
    net = Sequential([Dense(100, activation="relu", input_shape=(64,)), Dense(10, activation="softmax")])
    net.compile({"class_name": "Adam", "config": {"learning_rate": 0.01}}, "categorical_crossentropy").build()
    comm.bcast_data(net.net)
    model = net.net.model
    optimizer = chainermn.create_multi_node_optimizer(model.to_optimizer(net.net), comm)
    step = kchainer.training.from_compiled(net, optimizer)
    random = np.random.RandomState(1)
    for number in range(args.steps):
        rows = random.permutation(len(x))[: args.batch][comm.rank :: comm.size]
        loss = comm.allreduce_obj(step(x[rows], t[rows])) / comm.size
        if comm.rank == 0 and (number + 1) % 20 == 0:
            print(f"step {number + 1}: loss {loss:.4f} on {comm.size} processes", flush=True)
    if comm.rank == 0 and args.out:
        chainer.serializers.save_npz(args.out, net.net)


if __name__ == "__main__":
    main()
