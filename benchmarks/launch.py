"""Start a program, wait for it and write down what it took: ``launch.py REPORT COMMAND …``.

A process counts as its peak memory at least what its parent had when it was forked. This one has next to nothing.
"""

import json
import os
import subprocess
import sys
import time

report, *command = sys.argv[1:]
started = time.perf_counter()
process = subprocess.Popen(command)
_, status, usage = os.wait4(process.pid, 0)
wall = time.perf_counter() - started
process.returncode = os.waitstatus_to_exitcode(status)
figures = {
    "wall": wall,
    "processor": usage.ru_utime + usage.ru_stime,
    # KiB on Linux; counts the children that the process has waited for.
    "peak_mb": usage.ru_maxrss / 1024,
}
with open(report, "w", encoding="utf-8") as stream:  # noqa: PTH123 - pathlib would cost memory
    json.dump(figures, stream)
sys.exit(process.returncode if process.returncode >= 0 else 1)
