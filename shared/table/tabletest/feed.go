package tabletest

import (
	"fmt"
	"testing"
	"time"

	"regulars/shared/table"
)

// RunFeed checks the contract of table.Feed. open returns an empty engine and
// its feed, and is called for every subtest.
func RunFeed(t *testing.T, open func(t *testing.T) (table.Engine, table.Feed)) {
	for _, c := range []struct {
		name string
		run  func(t *testing.T, e table.Engine, f table.Feed)
	}{
		{"an empty feed has caught up", emptyFeed},
		{"a change has both images", images},
		{"a refused write is no change", refusedFeed},
		{"nothing is lost and items are in order", feedOrder},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, f := open(t)
			c.run(t, e, f)
		})
	}
}

// drain reads on from after until the feed has caught up.
func drain(t testing.TB, f table.Feed, after string, limit int) ([]table.Change, string) {
	t.Helper()
	var all []table.Change
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		changes, next, err := f.Changes(t.Context(), after, limit)
		must(t, err, nil)
		if len(changes) > limit {
			t.Fatalf("%d changes, limit %d", len(changes), limit)
		}
		after = next
		if len(changes) == 0 {
			return all, after
		}
		all = append(all, changes...)
	}
	t.Fatal("the feed does not end")
	return nil, ""
}

func emptyFeed(t *testing.T, _ table.Engine, f table.Feed) {
	for after, i := "", 0; i < 3; i++ {
		changes, next, err := f.Changes(t.Context(), after, 10)
		if err != nil || len(changes) != 0 {
			t.Fatalf("%v, %v", changes, err)
		}
		after = next
	}
}

func images(t *testing.T, e table.Engine, f table.Feed) {
	ctx := t.Context()
	create, update := put("p", "s", 1, "one"), put("p", "s", 2, "\x00\xfftwo")
	create.Item.Due = table.Due{Shard: "1", At: "2026-01-01T00:00:00Z"}
	create.Item.Side, update.Item.Group = []byte("\x00side"), "g#00"
	update.Item.Expires = 4_102_444_800
	must(t, e.Write(ctx, create), nil)
	first, after := drain(t, f, "", 10)
	must(t, e.Write(ctx, update), nil)
	must(t, e.Write(ctx, remove("p", "s", 2), put("p", "t", 1, "other")), nil)
	rest, _ := drain(t, f, after, 10)

	var got []table.Change
	for _, c := range append(first, rest...) {
		if c.SK == "s" {
			got = append(got, c)
		}
	}
	want := []table.Change{{New: create.Item}, {Old: create.Item, New: update.Item}, {Old: update.Item}}
	if len(got) != len(want) || len(first)+len(rest) != 4 {
		t.Fatalf("%d changes of the item and %d in all: %v", len(got), len(first)+len(rest), got)
	}
	for i := range want {
		if got[i].Key != create.Item.Key || !same(got[i].Old, want[i].Old) || !same(got[i].New, want[i].New) {
			t.Errorf("change %d: got %v, want %v", i, got[i], want[i])
		}
	}
}

func refusedFeed(t *testing.T, e table.Engine, f table.Feed) {
	ctx := t.Context()
	must(t, e.Write(ctx, put("p", "s", 1, "one")), nil)
	must(t, e.Write(ctx, put("p", "s", 1, "one")), table.ErrConflict)
	must(t, e.Write(ctx, put("p", "t", 1, ""), put("p", "s", 3, "")), table.ErrConflict)
	if changes, _ := drain(t, f, "", 10); len(changes) != 1 {
		t.Errorf("%v", changes)
	}
}

func feedOrder(t *testing.T, e table.Engine, f table.Feed) {
	const items, updates = 5, 12
	parallel(items, func(n int) {
		for v := range int64(updates) {
			w := put(fmt.Sprint("p", n), "s", v+1, fmt.Sprint(v+1))
			if err := e.Write(t.Context(), w, put(fmt.Sprint("p", n), fmt.Sprint("log", v), 1, "")); err != nil {
				t.Error(err)
			}
		}
	})
	for _, limit := range []int{1000, 7} {
		changes, after := drain(t, f, "", limit)
		last := map[string]int64{}
		for _, c := range changes {
			if c.SK != "s" {
				continue
			}
			if c.Old.Version != last[c.PK] || c.New.Version != last[c.PK]+1 {
				t.Fatalf("%s went from %d to %d after %d", c.PK, c.Old.Version, c.New.Version, last[c.PK])
			}
			last[c.PK] = c.New.Version
		}
		if len(changes) != 2*items*updates {
			t.Errorf("%d changes, want %d", len(changes), 2*items*updates)
		}
		if again, _ := drain(t, f, after, limit); len(again) != 0 {
			t.Errorf("%d changes after the end", len(again))
		}
	}
}
