"""Folding dead segments, beside prometheus_client's merge: ``python tests/bench/telemetry/bench_folding.py [FILES...]``."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SITES = 200
BAR = 3.0
MISSED = 3


def write_segments(directory: str, files: int) -> None:
    """Write segments as so many processes of one service would: half of them met the sites in another order."""
    from random import Random

    from compat.telemetry.record.identity import describe_process
    from compat.telemetry.record.segments import Segment
    from compat.telemetry.record.sites import Site

    sites = [
        Site(
            f"netra_backend.app.websocket_core.manager:name{n}",
            "call",
            f"services/part{n % 20}/views.py",
            n + 1,
            "handle",
            f"app{n % 9}.views",
        )
        for n in range(SITES)
    ]
    process = describe_process()._replace(pid=2**31, tick=1, service="chat")  # no such process
    templates = []
    for seed in range(2):
        Random(seed).shuffle(sites) if seed else None
        segment = Segment(directory, process)
        for number, site in enumerate(sites):
            segment.allot(site, 0, number + 1, 1.7e9)
        segment.release()
        templates.append((segment.path, Path(segment.path).read_bytes()))
        os.unlink(segment.path)
        process = process._replace(id=process.id[::-1])
    from compat.telemetry.record.layout import HEAD, pack_header

    folder = os.path.dirname(templates[0][0])
    for number in range(files):
        raw = templates[number % 2][1]
        name = f"{number:08x}-{process.id}"
        block = int.from_bytes(raw[12:16], sys.byteorder)
        head = pack_header(process._replace(id=name), block)
        Path(folder, name + ".seg").write_bytes(head + raw[HEAD:])


def write_prometheus(directory: str, files: int) -> None:
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = directory
    from prometheus_client.mmap_dict import MmapedDict, mmap_key

    first = os.path.join(directory, "counter_0.db")
    written = MmapedDict(first)
    for number in range(SITES):
        labels = (f"netra_backend.app.websocket_core.manager:name{number}", "call", f"app{number % 9}", "chat")
        written.write_value(
            mmap_key("uses", "uses_total", ("move", "kind", "caller", "service"), labels, "Uses."), number + 1.0, 0.0
        )
    written.close()
    for number in range(1, files):
        shutil.copyfile(first, os.path.join(directory, f"counter_{number}.db"))


def measure(what: str, directory: str) -> None:
    """Do the work, and print seconds, seconds of CPU, and the growth of this process's memory in MB."""
    start_memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if what == "fold":
        from compat.telemetry.history.fold import fold

        start, start_cpu = time.perf_counter(), time.process_time()
        folded = fold(directory)
        taken, cpu = time.perf_counter() - start, time.process_time() - start_cpu
        assert not folded.problems, folded.problems
        result = folded.uses
    else:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = directory
        from prometheus_client import CollectorRegistry
        from prometheus_client.multiprocess import MultiProcessCollector

        start, start_cpu = time.perf_counter(), time.process_time()
        (family,) = MultiProcessCollector(CollectorRegistry()).collect()
        taken, cpu = time.perf_counter() - start, time.process_time() - start_cpu
        result = int(sum(sample.value for sample in family.samples))
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - start_memory) / 1024
    print(taken, cpu, grown, result)


def run(what: str, directory: str) -> tuple[float, float, float, int]:
    done = subprocess.run([sys.executable, __file__, what, directory], capture_output=True, text=True, check=True)
    taken, cpu, grown, result = done.stdout.split()
    return float(taken), float(cpu), float(grown), int(result)


def main() -> int:
    if sys.argv[1:2] in (["fold"], ["prometheus"]):
        measure(*sys.argv[1:])
        return 0
    holds = True
    print(f"Files of {SITES} sites, Python {sys.version.split()[0]}: seconds, seconds of CPU, MB of memory")
    print(f"{'files':>8s}{'compat':>10s}{'CPU':>7s}{'MB':>5s}{'prometheus':>12s}{'CPU':>7s}{'MB':>5s}{'ratio':>8s}{'of CPU':>8s}")
    for files in map(int, sys.argv[1:] or ["1000", "10000"]):
        with tempfile.TemporaryDirectory() as ours, tempfile.TemporaryDirectory() as theirs:
            write_segments(ours, files)
            write_prometheus(theirs, files)
            mine, cpu, memory, counted = run("fold", ours)
            other, their_cpu, their_memory, also = run("prometheus", theirs)
            assert counted == also == files * SITES * (SITES + 1) // 2, (counted, also)
        ratio = their_cpu / cpu
        holds = holds and ratio >= BAR
        print(
            f"{files:>8,d}{mine:>10.2f}{cpu:>7.2f}{memory:>5.0f}{other:>12.2f}{their_cpu:>7.2f}{their_memory:>5.0f}"
            f"{other / mine:>7.1f}x{ratio:>7.1f}x"
        )
    print(
        f"bar: {BAR}x of CPU: {'holds' if holds else 'MISSED'}. compat reads, commits to disk and removes; prometheus only reads"
    )
    return 0 if holds else MISSED


if __name__ == "__main__":
    sys.exit(main())
