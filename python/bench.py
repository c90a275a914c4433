"""How long stretching a file takes: `python bench.py FILE [threads]`.

Run it in two environments, one with this package and one with AudioStretchy from PyPI, and compare.
With `threads`, also how much more two threads get done than one.
"""

import sys
import tempfile
import threading
import time

from audiostretchy.stretch import stretch_audio

FILES = 4


def fastest(work, rounds=3):
    times = []
    for _ in range(rounds):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return min(times)


def main():
    source = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:

        def stretch(number):
            stretch_audio(source, f"{folder}/{number}.wav", ratio=1.25)

        def several(threads):
            def work(number):
                for _ in range(FILES):
                    stretch(number)

            running = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
            for thread in running:
                thread.start()
            for thread in running:
                thread.join()

        print(f"one file: {fastest(lambda: stretch(0)):.3f} s")
        if "threads" in sys.argv:
            ratio = 2 * fastest(lambda: several(1)) / fastest(lambda: several(2))
            print(f"two threads do {ratio:.2f} times as much as one")


main()
