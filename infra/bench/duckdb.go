package main

import (
	"context"
	"fmt"
	"os/exec"
	"time"
)

// duckdb is the CPU time that DuckDB takes to score so many members that are
// in its table already: fifths of three figures, and a median. It splits equal
// values between fifths, which a refresh does not. False where there is none.
func duckdb(ctx context.Context, members int) (cpu time.Duration, there bool, err error) {
	sql := func(s string) *exec.Cmd {
		if path, err := exec.LookPath("duckdb"); err == nil {
			return exec.CommandContext(ctx, path, "-c", s)
		}
		return exec.CommandContext(ctx, "python3", "-c", "import duckdb, sys; duckdb.execute(sys.argv[1])", s)
	}
	if sql("select 1").Run() != nil {
		return 0, false, nil
	}
	fill := fmt.Sprintf(`create table members as select range as id, hash(range) %% 700 as recency, 1 + hash(range * 7) %% 12 as orders,
		500 + hash(range * 13) %% 100000 as spent from range(%d);`, members)
	score := `create table scores as select id, ntile(5) over (order by recency desc) as r, ntile(5) over (order by orders) as f,
		ntile(5) over (order by spent) as m, spent > (select median(spent) from members) as heavy from members;`
	var took [2]time.Duration
	for i, s := range []string{fill, fill + score} {
		c := sql(s)
		if out, err := c.CombinedOutput(); err != nil {
			return 0, true, fmt.Errorf("duckdb: %w: %s", err, out)
		}
		took[i] = c.ProcessState.UserTime() + c.ProcessState.SystemTime()
	}
	return took[1] - took[0], true, nil
}
