"""The command in forks of one warm process: imports are paid once, limits and exit codes are those of a process.

Takes lines of JSON on stdin (arguments, cwd, out, err, limits), answers each with the exit status.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import traceback
from typing import Any

import kchainer.backends.source
import kchainer.bundle
import kchainer.cli.convert
import kchainer.cli.inspect
import kchainer.cli.validate
import kchainer.cli.verify
import kchainer.files.yaml_text
from kchainer.backends.chainer import build
from kchainer.cli import main

assert kchainer.bundle
assert build


def run(job: dict[str, Any]) -> None:
    """In the child; never returns."""
    code = 99
    try:
        os.chdir(job["cwd"])
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        for descriptor, path in ((1, job["out"]), (2, job["err"])):
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), descriptor)
        resource.setrlimit(resource.RLIMIT_AS, (job["memory"], job["memory"]))
        resource.setrlimit(resource.RLIMIT_CPU, (job["cpu"], job["cpu"]))
        signal.alarm(job["wall"])
        code = main(job["arguments"])
    except BaseException:  # noqa: BLE001  the fork must end here
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def serve() -> None:
    """One job after the other."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    for line in sys.stdin:
        child = os.fork()
        if not child:
            run(json.loads(line))
        answers.write(f"{os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}\n")


if __name__ == "__main__":
    serve()
