"""Reads a data set that `specstress export` wrote, with whatever readers are there, and says what they found as JSON."""

import json
import pathlib
import sys

import duckdb
import pyarrow.parquet

folder = pathlib.Path(sys.argv[1])
files = sorted(folder.glob("*/*.parquet"))
assert files, "no file was exported"

rows = {}
for file in files:
    table = pyarrow.parquet.read_table(file)
    ((count,),) = duckdb.sql(f"SELECT count(*) FROM '{file}'").fetchall()
    assert count == table.num_rows, f"{file}: {count} rows are not {table.num_rows}"
    names = [column[0] for column in duckdb.sql(f"DESCRIBE SELECT * FROM '{file}'").fetchall()]
    assert names == table.schema.names, file
    rows[file.relative_to(folder).as_posix()] = count

schema = pyarrow.parquet.read_schema(folder / "default" / "all_models.parquet")
complete = duckdb.sql(f"SELECT * FROM '{folder}/complete/train.parquet'")
models = [name[: -len("_value1_position")] for name in complete.columns if name.endswith("_value1_position")]
# Population deviations over the models that have both positions, in integers.
high = 0
for row in complete.fetchall():
    cells = dict(zip(complete.columns, row))
    placed = [(cells[f"{m}_value1_position"], cells[f"{m}_value2_position"]) for m in models]
    placed = [pair for pair in placed if None not in pair]
    n = len(placed)
    scatter = [n * sum(p[v] ** 2 for p in placed) - sum(p[v] for p in placed) ** 2 for v in (0, 1)]
    high += n >= 2 and 4 * max(scatter) >= 9 * n * n

readers = ["pyarrow", "duckdb"]
try:
    import polars

    for file in files:
        assert polars.read_parquet(file).height == rows[file.relative_to(folder).as_posix()]
    readers.append("polars")
except ImportError:
    pass
try:
    import pandas

    for file in files:
        assert len(pandas.read_parquet(file)) == rows[file.relative_to(folder).as_posix()]
    readers.append("pandas")
except ImportError:
    pass
try:
    import datasets

    for config in ("default", "complete", "judge_evaluations"):
        loaded = datasets.load_dataset(str(folder), config, cache_dir=str(folder.parent / "cache"))
        wanted = sum(count for name, count in rows.items() if name.startswith(config + "/"))
        assert sum(split.num_rows for split in loaded.values()) == wanted, config
    readers.append("datasets")
except ImportError:
    pass

found = {
    "readers": readers,
    "default": [[field.name, str(field.type)] for field in schema],
    "rows": rows,
    "high": high,
}
print(json.dumps(found))
