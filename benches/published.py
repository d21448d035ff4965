"""`specstress analyze` on a file of the published layout, against DuckDB and Polars on the same file.

    cargo bench -p specstress-benches --bench published -- published.parquet
    cargo build --release -p specstress
    python benches/published.py target/release/specstress published.parquet

The queries are less than what the binary does: disagreement per subset (population standard deviations of both values,
the larger one, rows from 1.5 and the mean), with `+outliers` also the outlier rows per model; no intervals, no nudge
effects, no histogram. They see no missing positions and do not check that positions are 0 to 6. Times of the queries
are without the start of Python and the import; those of the binary are of the whole process. Best of three; memory is
the peak of a process of its own.
"""

import json
import os
import resource
import subprocess
import sys
import time

MODELS = (
    "claude_3_5_sonnet claude_3_7_sonnet claude_opus_3 claude_opus_4 claude_sonnet_4 gemini_2_5_pro "
    "gpt_4_1 gpt_4_1_mini gpt_4o grok_4 o3 o4_mini"
).split()
SUBSETS = {
    "all_models": MODELS,
    "claude_models": MODELS[:5],
    "openai_models": ["gpt_4_1", "gpt_4_1_mini", "gpt_4o", "o3", "o4_mini"],
    "opus4_vs_sonnet4": ["claude_opus_4", "claude_sonnet_4"],
    "gpt41_vs_mini": ["gpt_4_1", "gpt_4_1_mini"],
    "o3_vs_o4mini": ["o3", "o4_mini"],
}


def column(model, value):
    return f"{model}_value{value}_position"


def duckdb_query(path, outliers):
    import duckdb

    def variance(models, value):
        names = [column(model, value) for model in models]
        n, total = len(names), " + ".join(names)
        squares = " + ".join(f"{name} * {name}" for name in names)
        return f"({n} * ({squares}) - ({total}) * ({total}))"

    wide = ", ".join(
        f"greatest({variance(m, 1)}, {variance(m, 2)}) AS {s}" for s, m in SUBSETS.items()
    )
    results = [
        f"count(*) FILTER (4 * {s} >= 9 * {len(m) ** 2}), avg(sqrt({s}) / {len(m)})"
        for s, m in SUBSETS.items()
    ]
    if outliers:
        for own in MODELS:
            far = " + ".join(
                f"(abs({column(own, 1)} - {column(other, 1)}) >= 4 OR "
                f"abs({column(own, 2)} - {column(other, 2)}) >= 4)::INT"
                for other in MODELS
                if other != own
            )
            wide += f", ({far}) >= 9 AS out_{own}"
            results.append(f"count(*) FILTER (out_{own})")
    query = f"SELECT {', '.join(results)} FROM (SELECT {wide} FROM '{path}')"
    start = time.perf_counter()
    row = duckdb.sql(query).fetchall()[0]
    return time.perf_counter() - start, list(row[:12:2]) + list(row[12:])


def polars_query(path, outliers):
    import polars as pl

    def scatter(models, value):
        cells = [pl.col(column(model, value)) for model in models]
        total = sum(cells[1:], cells[0])
        squares = sum((cell * cell for cell in cells[1:]), cells[0] * cells[0])
        return len(cells) * squares - total * total

    start = time.perf_counter()
    wide = pl.scan_parquet(path).select(
        [pl.max_horizontal(scatter(m, 1), scatter(m, 2)).alias(s) for s, m in SUBSETS.items()]
        + [
            (
                sum(
                    (
                        (
                            ((pl.col(column(own, 1)) - pl.col(column(other, 1))).abs() >= 4)
                            | ((pl.col(column(own, 2)) - pl.col(column(other, 2))).abs() >= 4)
                        ).cast(pl.Int8)
                        for other in MODELS
                        if other != own
                    ),
                    pl.lit(0, pl.Int8),
                )
                >= 9
            ).alias(f"out_{own}")
            for own in (MODELS if outliers else [])
        ]
    )
    found = wide.select(
        [(4 * pl.col(s) >= 9 * len(m) ** 2).sum().alias(s) for s, m in SUBSETS.items()]
        + [(pl.col(s).sqrt() / len(m)).mean().alias(f"mean_{s}") for s, m in SUBSETS.items()]
        + [pl.col(f"out_{own}").sum() for own in (MODELS if outliers else [])]
    ).collect(engine="streaming")
    took = time.perf_counter() - start
    row = found.row(0)
    return took, list(row[:6]) + list(row[12:])


def binary(program, path):
    start = time.perf_counter()
    done = subprocess.run([program, "analyze", path, "--json"], capture_output=True, check=True)
    took = time.perf_counter() - start
    found = json.loads(done.stdout)
    high = [subset["high"]["successes"] for subset in found["subsets"]]
    by_model = {model["model"]: model["rate"]["successes"] for model in found["outliers"]}
    return took, high + [by_model[model] for model in MODELS], found["rows"]


def in_child(work, *arguments):
    """Runs work in a process of its own: what it returns, and the peak memory in MB, of the binary where it is that."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        found = work(*arguments)
        who = resource.RUSAGE_CHILDREN if work is binary else resource.RUSAGE_SELF
        used = resource.getrusage(who).ru_maxrss
        os.write(write, json.dumps([found, used / 1024]).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    return json.loads(text)


def main():
    program, path = sys.argv[1:3]
    rows, wanted = None, None
    for name, work, outliers in [
        ("specstress analyze", binary, True),
        ("DuckDB", duckdb_query, False),
        ("DuckDB +outliers", duckdb_query, True),
        ("Polars", polars_query, False),
        ("Polars +outliers", polars_query, True),
    ]:
        arguments = (program, path) if work is binary else (path, outliers)
        runs = [in_child(work, *arguments) for _ in range(3)]
        found = runs[0][0]
        if work is binary:
            rows, wanted = found[2], found[1]
        counts = found[1]
        assert counts == wanted[: len(counts)], f"{name} counts {counts}, not {wanted}"
        took = min(run[0][0] for run in runs)
        memory = max(run[1] for run in runs)
        print(f"{name:20} {took:7.3f} s {rows / took / 1e6:7.2f} M rows/s {memory:7.0f} MB")


if __name__ == "__main__":
    main()
