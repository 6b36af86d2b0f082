"""What a process that runs for long has read once is not kept for ever."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

OURS = Path(__file__).parents[2]
# Without it some 50 MB stay after some of the answers.
PROGRAM = """
import random
from pathlib import Path
from models.memory import give_back_memory

def held() -> int:
    return int(Path("/proc/self/status").read_text().partition("VmRSS:")[2].split()[0]) // 1024

def keep() -> None:
    kept.extend(bytearray(5000) for _ in range(3))

give_back_memory()
dice, kept, most, before = random.Random(1), [], 0, held()
for _ in range(30):
    chunks = [bytes(bytearray(65536)) for _ in range(dice.randrange(10, 480))]
    keep()
    answer = b"".join(chunks)
    keep()
    text = answer.decode()
    del chunks
    keep()
    del answer, text
    most = max(most, held() - before)
print(most)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library has nothing to set")
def test_the_memory_of_large_answers_goes_back_though_something_of_each_is_kept() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=OURS, env=environment, capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 20
