"""The parallel-execution gates: pure functions over tasks, access sets and measurements.

Nothing here reads a file; only `host.measure_host` looks at the machine. Each module has one job:

- `footprint`: `footprint_of(task, access) -> Footprint` of `Touch`es (what a task reads, writes, imports, shares, and
  where that is said).
- `relations`: `Relations(tasks)`: who depends on whom, `related(a, b)`, `may_run_together(a, b)`, ancestors, unknown
  and redundant dependencies.
- `conflicts`: `find_conflicts(footprints, relations) -> list[Conflict]`; `ConflictIndex` for several questions, data
  flow among them.
- `partition`: `partition_advice(conflicts)`: the fewest tasks to move out, and the files that conflict most.
- `cycles`: `find_cycles(relations, footprints) -> CycleReport`: closed chains, the fewest edges to cut, a topological
  order. `components` and `feedback` hold the graph algorithms.
- `contention`: the locks that a group needs, who holds some of them, and where its members will wait for each other;
  `lock_order`: `find_lock_inversions(footprints, relations)`: locks that are taken in opposite orders.
- `host`: `measure_host()`; `capacity`: `decide_capacity(requested, measurement, limits)`.
- `budget`: `assess_budget(difficulties, measured, limits)`, `difficulty_problems(tasks, measured)`, `estimate_tokens`.
- `shared_state`: `find_shared_conflicts`, `find_hazards` (both of footprints and relations), `find_read_modify_writes`.
- `batching`: `suggest_batches(ids, relations, footprints, limits)`; `makespan`: `schedule(..., durations)`. The problem
  in numbers is `batch_problem`, its bounds `batch_bounds`, the search `batch_fill` and `batch_search`, the proof for
  small groups `batch_proof`, the solver `exact`.
- `report`: `gate_report(ids, relations, footprints, ...)`: all gates in one dictionary; `assess_group` gives the typed
  answers of `assessment`, `advice` the recommendations.
"""
