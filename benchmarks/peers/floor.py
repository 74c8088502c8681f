"""The floor under every contestant: read the input's bytes and write as many as the pipeline's output has.

``python floor.py INPUT OUTPUT TARGET``: every file in ``INPUT`` is read once; every file in ``OUTPUT``, whose bytes are
in memory before the clock starts, is written into ``TARGET``. Prints the seconds as JSON.
"""

import json
import sys
import time
from pathlib import Path

source, example, target = (Path(argument) for argument in sys.argv[1:])
contents = [path.read_bytes() for path in sorted(example.rglob("*")) if path.is_file()]
started = time.perf_counter()
read = sum(len(path.read_bytes()) for path in sorted(source.rglob("*")) if path.is_file())
for number, content in enumerate(contents):
    (target / str(number)).write_bytes(content)
print(json.dumps({"floor": time.perf_counter() - started, "read": read, "written": sum(map(len, contents))}))
