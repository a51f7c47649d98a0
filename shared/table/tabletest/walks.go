package tabletest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"regulars/shared/table"
)

// collect walks a query to its end.
func collect(t testing.TB, e table.Engine, q table.Query) (items []table.Item) {
	t.Helper()
	q.Consistent = true
	for range 10_000 {
		page, err := e.Query(t.Context(), q)
		must(t, err, nil)
		if len(page.Items) > q.Limit {
			t.Fatalf("%d items, limit %d", len(page.Items), q.Limit)
		}
		items = append(items, page.Items...)
		if page.Cursor == "" {
			return items
		}
		q.After = page.Cursor
	}
	t.Fatal("the query does not end")
	return nil
}

func queries(t *testing.T, e table.Engine) {
	keys := []string{"A", "AB", "B", "B#1", "B#10", "B#2", "B$", "b", "é", "日", "日本", "🧾"} // in order of bytes
	for _, i := range []int{5, 0, 11, 3, 7, 1, 9, 2, 10, 4, 8, 6} {
		must(t, e.Write(t.Context(), put("p", keys[i], 1, keys[i])), nil)
	}
	for _, prefix := range []string{"", "A", "B", "B#", "B#1", "日", "none"} {
		var want []string
		for _, k := range keys {
			if strings.HasPrefix(k, prefix) {
				want = append(want, k)
			}
		}
		for _, desc := range []bool{false, true} {
			if desc {
				slices.Reverse(want)
			}
			for _, limit := range []int{1, 2, 3, 5, 12, 1000} {
				q := table.Query{PK: "p", Prefix: prefix, Desc: desc, Limit: limit}
				items := collect(t, e, q)
				equal(t, fmt.Sprintf("%+v", q), sortKeys(items), want)
				for _, it := range items {
					if string(it.Body) != it.SK {
						t.Errorf("body %q of %q", it.Body, it.SK)
					}
				}
			}
			for i := range want {
				q := table.Query{PK: "p", Prefix: prefix, Desc: desc, Limit: 1000, After: want[i]}
				equal(t, fmt.Sprintf("%+v", q), sortKeys(collect(t, e, q)), want[i+1:])
			}
		}
	}
	// A walk goes on after an item that was deleted meanwhile.
	must(t, e.Write(t.Context(), remove("p", "B#1", 1)), nil)
	q := table.Query{PK: "p", Prefix: "B#", After: "B#1", Limit: 10}
	equal(t, "after a deleted item", sortKeys(collect(t, e, q)), []string{"B#10", "B#2"})
	q.Desc, q.After = true, "B#11"
	equal(t, "before an absent item", sortKeys(collect(t, e, q)), []string{"B#10"})
}

func partitions(t *testing.T, e table.Engine) {
	for _, pk := range []string{"p", "p#", "p#1", "o", "q", "pp"} {
		must(t, e.Write(t.Context(), put(pk, "s", 1, pk), put(pk, "t", 1, pk)), nil)
	}
	for _, desc := range []bool{false, true} {
		for _, it := range collect(t, e, table.Query{PK: "p", Limit: 3, Desc: desc}) {
			if it.PK != "p" {
				t.Errorf("read %v in partition p", it.Key)
			}
		}
	}
}

func largePages(t *testing.T, e table.Engine) {
	body := strings.Repeat("x", 390_000)
	var want []string
	for i := range 7 {
		want = append(want, fmt.Sprint(i))
		must(t, e.Write(t.Context(), put("p", want[i], 1, body)), nil)
	}
	page, err := e.Query(t.Context(), table.Query{PK: "p", Limit: 10})
	if err != nil || len(page.Items) == 0 || len(page.Items) > 4 || page.Cursor == "" {
		t.Errorf("a page has %d items of 390 KB, cursor %q, %v", len(page.Items), page.Cursor, err)
	}
	items := collect(t, e, table.Query{PK: "p", Limit: 10})
	equal(t, "walk", sortKeys(items), want)
	for _, it := range items {
		if string(it.Body) != body {
			t.Errorf("body of %q is not what was written", it.SK)
		}
	}
}

// dueKeys walks the due index to its end.
func dueKeys(t testing.TB, e table.Engine, shard, before string, limit int) (all []string) {
	t.Helper()
	cursor := ""
	for range 10_000 {
		keys, next, err := e.DueBefore(t.Context(), shard, before, cursor, limit)
		must(t, err, nil)
		if len(keys) > limit {
			t.Fatalf("%d keys, limit %d", len(keys), limit)
		}
		for _, k := range keys {
			all = append(all, k.PK+"/"+k.SK)
		}
		if cursor = next; cursor == "" {
			return all
		}
	}
	t.Fatal("the walk does not end")
	return nil
}

// memberKeys walks a group to its end.
func memberKeys(t testing.TB, e table.Engine, group string, limit int) (all []string) {
	t.Helper()
	var after table.Key
	for range 10_000 {
		keys, more, err := e.Members(t.Context(), group, after, limit)
		must(t, err, nil)
		if len(keys) > limit {
			t.Fatalf("%d keys, limit %d", len(keys), limit)
		}
		for _, k := range keys {
			all = append(all, k.PK+"/"+k.SK)
		}
		if !more {
			slices.Sort(all)
			return all
		}
		after = keys[len(keys)-1]
	}
	t.Fatal("the walk does not end")
	return nil
}

func members(t *testing.T, e table.Engine) {
	in := func(group, side string, w table.Write) table.Write {
		w.Item.Group, w.Item.Side = group, []byte(side)
		return w
	}
	var want []string
	for i := range 7 {
		pk := fmt.Sprint("m", i)
		must(t, e.Write(t.Context(), in("g#1", "side "+pk, put(pk, "A", 1, "body")), put(pk, "B", 1, "of no group")), nil)
		want = append(want, pk+"/A")
	}
	must(t, e.Write(t.Context(), in("g#10", "other", put("o", "A", 1, ""))), nil)
	for limit := 1; limit <= 8; limit++ {
		equal(t, fmt.Sprint("group, ", limit, " at a time"), memberKeys(t, e, "g#1", limit), want)
	}
	equal(t, "an empty group", memberKeys(t, e, "g#", 5), nil)
	must(t, e.Write(t.Context(), in("g#1", "changed", put("m3", "A", 2, ""))), nil) // stays
	must(t, e.Write(t.Context(), remove("m4", "A", 1)), nil)
	equal(t, "after changes", memberKeys(t, e, "g#1", 3), slices.Delete(slices.Clone(want), 4, 5))
	for _, gone := range []string{"m4", "never"} { // a walk goes on after one who left meanwhile
		if keys, _, err := e.Members(t.Context(), "g#1", table.Key{PK: gone, SK: "A"}, 10); err != nil || len(keys) > 6 {
			t.Errorf("after %s: %v, %v", gone, keys, err)
		}
	}

	got := map[string]string{}
	keys := []table.Key{{PK: "m3", SK: "A"}, {PK: "m4", SK: "A"}, {PK: "m5", SK: "A"}, {PK: "m5", SK: "B"}, {PK: "nobody", SK: "A"}}
	must(t, e.Sides(t.Context(), keys, func(k table.Key, side []byte) error {
		got[k.PK+"/"+k.SK] = string(side)
		return nil
	}), nil)
	if len(got) != 3 || got["m3/A"] != "changed" || got["m5/A"] != "side m5" || got["m5/B"] != "" {
		t.Errorf("sides: %v", got)
	}
	it, err := e.Get(t.Context(), table.Key{PK: "m5", SK: "A"}, true)
	if err != nil || string(it.Side) != "side m5" || it.Group != "g#1" || string(it.Body) != "body" {
		t.Errorf("read as a whole: %+v %v", it, err)
	}
	stop := errors.New("stop")
	if err := e.Sides(t.Context(), keys, func(table.Key, []byte) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("a visit that stops ends with %v", err)
	}
	if err := e.Sides(t.Context(), make([]table.Key, table.MaxSides+1), nil); err == nil {
		t.Error("the sides of too many are read")
	}
}

func due(t *testing.T, e table.Engine) {
	at := func(w table.Write, shard, at string) table.Write {
		w.Item.Due = table.Due{Shard: shard, At: at}
		return w
	}
	write := func(writes ...table.Write) {
		t.Helper()
		must(t, e.Write(t.Context(), writes...), nil)
	}
	write(put("p", "never", 1, ""), at(put("p", "c", 1, ""), "0", "2026-03-01T00:00:00Z"))
	write(at(put("q", "a", 1, ""), "0", "2026-01-01T00:00:00Z"))
	write(at(put("p", "b", 1, ""), "0", "2026-02-01T00:00:00Z"), at(put("p", "x", 1, ""), "1", "2026-01-01T00:00:00Z"))
	const end = "2027-01-01T00:00:00Z"
	for limit := range 5 {
		equal(t, "all", dueKeys(t, e, "0", end, limit+1), []string{"q/a", "p/b", "p/c"})
	}
	equal(t, "up to and with", dueKeys(t, e, "0", "2026-02-01T00:00:00Z", 9), []string{"q/a", "p/b"})
	equal(t, "before all", dueKeys(t, e, "0", "2025", 9), nil)
	equal(t, "other shard", dueKeys(t, e, "1", end, 9), []string{"p/x"})
	equal(t, "no such shard", dueKeys(t, e, "2", end, 9), nil)

	write(at(put("q", "a", 2, ""), "0", "2026-12-01T00:00:00Z"))        // later
	write(at(put("p", "x", 2, ""), "0", "2025-12-01T00:00:00Z"))        // to another shard
	write(put("p", "b", 2, ""), at(put("p", "never", 2, ""), "1", end)) // out of it, into it
	write(remove("p", "c", 1))
	equal(t, "after moves", dueKeys(t, e, "0", end, 1), []string{"p/x", "q/a"})
	equal(t, "after moves", dueKeys(t, e, "1", end, 1), []string{"p/never"})

	var want []string // many at one instant: none is skipped between pages
	for i := range 25 {
		want = append(want, fmt.Sprintf("p/%02d", i))
		write(at(put("p", fmt.Sprintf("%02d", i), 1, ""), "3", end))
	}
	for _, limit := range []int{1, 4, 25, 1000} {
		got := dueKeys(t, e, "3", end, limit)
		slices.Sort(got) // DynamoDB promises no order among them
		equal(t, "at one instant", got, want)
	}
}

func scan(t *testing.T, e table.Engine) {
	var want []string
	for i := range 30 {
		w := put(fmt.Sprint("p", i%7), fmt.Sprint("s", i), 1, "body")
		want = append(want, w.Item.PK+"/"+w.Item.SK)
		must(t, e.Write(t.Context(), w), nil)
	}
	slices.Sort(want)
	for _, limit := range []int{1, 4, 30, 1000} {
		var got []string
		cursor := ""
		for range 1000 {
			page, err := e.Scan(t.Context(), cursor, limit)
			must(t, err, nil)
			if len(page.Items) > limit {
				t.Fatalf("%d items, limit %d", len(page.Items), limit)
			}
			for _, it := range page.Items {
				got = append(got, it.PK+"/"+it.SK)
			}
			if cursor = page.Cursor; cursor == "" {
				break
			}
		}
		slices.Sort(got)
		equal(t, fmt.Sprint("limit ", limit), got, want)
	}
}

func segments(t *testing.T, e table.Engine) {
	var want []string
	for i := range 40 {
		pk := fmt.Sprintf("shop#ORDER#%d", i)
		want = append(want, pk+"/ORDER")
		must(t, e.Write(t.Context(), put(pk, "ORDER", 1, pk), put(pk, "ORDERS", 1, ""), put("other"+pk, "ORDER", 1, "")), nil)
	}
	must(t, e.Write(t.Context(), put("shop#ORDEA", "ORDER", 1, "")), nil)
	slices.Sort(want)
	for _, of := range []int{1, 3, 16} {
		for _, limit := range []int{1, 7, 1000} {
			var got []string
			for n := range of {
				cursor := ""
				for range 1000 {
					page, err := e.Segment(t.Context(), table.Segment{Prefix: "shop#ORDER#", SK: "ORDER", N: n, Of: of}, cursor, limit)
					must(t, err, nil)
					if len(page.Items) > limit {
						t.Fatalf("%d items, limit %d", len(page.Items), limit)
					}
					for _, it := range page.Items {
						got = append(got, it.PK+"/"+it.SK)
						if string(it.Body) != it.PK {
							t.Errorf("body %q of %q", it.Body, it.PK)
						}
					}
					if cursor = page.Cursor; cursor == "" {
						break
					}
				}
			}
			slices.Sort(got)
			equal(t, fmt.Sprintf("%d segments, limit %d", of, limit), got, want)
		}
	}
}
