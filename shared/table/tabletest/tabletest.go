// Package tabletest is what every engine of the table must pass, and what
// tests of code above an engine need: faults, and AWS's emulator.
package tabletest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"regulars/shared/table"
)

// Run checks the whole contract of table.Engine. open returns an empty
// engine, and is called for every subtest.
func Run(t *testing.T, open func(t *testing.T) table.Engine) {
	for _, c := range []struct {
		name string
		run  func(t *testing.T, e table.Engine)
	}{
		{"an absent item is not found", absent},
		{"a write holds the version it was decided on", versions},
		{"what is read is what was written", roundTrip},
		{"of many writes all or none", allOrNone},
		{"what exceeds a limit is refused", limits},
		{"no increment is lost", increments},
		{"no transfer is half done", transfers},
		{"one of many creators wins", creators},
		{"a query reads in key order", queries},
		{"a query keeps to its partition", partitions},
		{"a page of large items is short", largePages},
		{"the due index is sparse and follows its items", due},
		{"a group of members is walked, and sides are read alone", members},
		{"a scan sees everything once", scan},
		{"segments have every item of a kind once", segments},
		{"an ended context ends the call", ended},
		{"the engine is a map", model},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, open(t)) })
	}
}

func put(pk, sk string, version int64, body string) table.Write {
	return table.Write{Item: table.Item{Key: table.Key{PK: pk, SK: sk}, Version: version, Body: []byte(body)}}
}

func remove(pk, sk string, version int64) table.Write {
	w := put(pk, sk, version, "")
	w.Delete = true
	return w
}

// must fails the test unless the error is what was wanted; nil wants none.
func must(t testing.TB, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Fatalf("got error %v, want %v", got, want)
	}
}

// refused fails the test unless the error is a plain one: deciding again
// would not help.
func refused(t testing.TB, err error) {
	t.Helper()
	if err == nil || errors.Is(err, table.ErrConflict) {
		t.Errorf("got error %v, want a refusal", err)
	}
}

func same(a, b table.Item) bool {
	return a.Key == b.Key && a.Version == b.Version && a.Due == b.Due && a.Group == b.Group && a.Expires == b.Expires && bytes.Equal(a.Body, b.Body) && bytes.Equal(a.Side, b.Side)
}

func get(t testing.TB, e table.Engine, pk, sk string) table.Item {
	t.Helper()
	it, err := e.Get(t.Context(), table.Key{PK: pk, SK: sk}, true)
	if err != nil && !errors.Is(err, table.ErrNotFound) {
		t.Fatal(err)
	}
	return it
}

func absent(t *testing.T, e table.Engine) {
	ctx := t.Context()
	for _, consistent := range []bool{true, false} {
		_, err := e.Get(ctx, table.Key{PK: "p", SK: "s"}, consistent)
		must(t, err, table.ErrNotFound)
	}
	page, err := e.Query(ctx, table.Query{PK: "p", Limit: 10})
	if err != nil || len(page.Items) != 0 || page.Cursor != "" {
		t.Errorf("query: %v, %v", page, err)
	}
	must(t, e.Write(ctx, remove("p", "s", 1)), table.ErrConflict)
	must(t, e.Write(ctx, put("p", "s", 2, "")), table.ErrConflict)
}

func versions(t *testing.T, e table.Engine) {
	for _, step := range []struct {
		name  string
		write table.Write
		want  error
		left  string
	}{
		{"create", put("p", "s", 1, "one"), nil, "one"},
		{"create again", put("p", "s", 1, "uno"), table.ErrConflict, "one"},
		{"create again with the same content", put("p", "s", 1, "one"), table.ErrConflict, "one"},
		{"skip a version", put("p", "s", 3, "three"), table.ErrConflict, "one"},
		{"next version", put("p", "s", 2, "two"), nil, "two"},
		{"the same version with the same content", put("p", "s", 2, "two"), table.ErrConflict, "two"},
		{"delete an old version", remove("p", "s", 1), table.ErrConflict, "two"},
		{"delete a version to come", remove("p", "s", 3), table.ErrConflict, "two"},
		{"delete", remove("p", "s", 2), nil, ""},
		{"delete again", remove("p", "s", 2), table.ErrConflict, ""},
		{"write on after the deletion", put("p", "s", 3, "three"), table.ErrConflict, ""},
		{"create anew", put("p", "s", 1, "new"), nil, "new"},
	} {
		for _, other := range [][]table.Write{nil, {put("other", step.name, 1, "")}} {
			if other != nil { // the same in a transaction, with a twin item
				step.write.Item.SK = "twin"
			}
			err := e.Write(t.Context(), append(other, step.write)...)
			if !errors.Is(err, step.want) {
				t.Errorf("%s, with %d others: %v, want %v", step.name, len(other), err, step.want)
			}
			if got := string(get(t, e, "p", step.write.Item.SK).Body); got != step.left {
				t.Errorf("%s, with %d others: left %q, want %q", step.name, len(other), got, step.left)
			}
		}
	}
}

func roundTrip(t *testing.T, e table.Engine) {
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	for i, want := range []table.Item{
		{Body: every},
		{Body: nil},
		{Body: []byte{0}},
		{Body: bytes.Repeat(every, 1500)},
		{Key: table.Key{PK: "shop#Ünï#会员", SK: "🧾#1\n\t\"\\"}},
		{Key: table.Key{PK: " ", SK: "\x01"}},
		{Key: table.Key{PK: strings.Repeat("p", table.MaxPK), SK: strings.Repeat("s", table.MaxSK)}},
		{Expires: 4_102_444_800},
		{Expires: 9_007_199_254_740_993},
		{Due: table.Due{Shard: "7", At: "2026-01-01T00:00:00Z"}, Body: []byte("x")},
	} {
		if want.PK == "" {
			want.Key = table.Key{PK: "p", SK: fmt.Sprint(i)}
		}
		want.Version = 1
		must(t, e.Write(t.Context(), table.Write{Item: want}), nil)
		for _, consistent := range []bool{true, false} {
			got, err := e.Get(t.Context(), want.Key, consistent)
			if err != nil || !same(got, want) {
				t.Errorf("item %d: got %.80q, %v", i, fmt.Sprint(got), err)
			}
		}
	}
}

func allOrNone(t *testing.T, e table.Engine) {
	ctx := t.Context()
	must(t, e.Write(ctx, put("p", "a", 1, "a"), put("p", "b", 1, "b"), put("q", "c", 1, "c")), nil)
	must(t, e.Write(ctx, put("p", "a", 2, "A"), remove("p", "b", 1), put("p", "d", 1, "d"), put("q", "c", 3, "C")), table.ErrConflict)
	must(t, e.Write(ctx, put("p", "a", 3, "A"), remove("p", "b", 1)), table.ErrConflict)
	for _, want := range []string{"a", "b"} {
		if it := get(t, e, "p", want); it.Version != 1 || string(it.Body) != want {
			t.Errorf("after a refused transaction: %v", it)
		}
	}
	if it := get(t, e, "p", "d"); it.Version != 0 {
		t.Errorf("after a refused transaction: %v", it)
	}
	var many []table.Write
	for i := range table.MaxWrites {
		many = append(many, put("many", fmt.Sprintf("%03d", i), 1, ""))
	}
	must(t, e.Write(ctx, many...), nil)
	page, err := e.Query(ctx, table.Query{PK: "many", Limit: 1000, Consistent: true})
	if err != nil || len(page.Items) != table.MaxWrites {
		t.Errorf("%d items, %v", len(page.Items), err)
	}
}

func limits(t *testing.T, e table.Engine) {
	ctx := t.Context()
	long := strings.Repeat("x", table.MaxItem)
	half := strings.Repeat("x", table.MaxItem/2)
	var many, heavy []table.Write
	for i := range table.MaxWrites + 1 {
		many = append(many, put("many", fmt.Sprint(i), 1, ""))
	}
	for i := range 21 {
		heavy = append(heavy, put("heavy", fmt.Sprint(i), 1, half))
	}
	for name, writes := range map[string][]table.Write{
		"no write":                  {},
		"101 writes":                many,
		"more than 4 MB":            heavy,
		"empty partition key":       {put("", "s", 1, "")},
		"empty sort key":            {put("p", "", 1, "")},
		"long partition key":        {put(long[:table.MaxPK+1], "s", 1, "")},
		"long sort key":             {put("p", long[:table.MaxSK+1], 1, "")},
		"zero byte in a key":        {put("p\x00q", "s", 1, "")},
		"broken text in a key":      {put("p", "\xff", 1, "")},
		"large item":                {put("p", "s", 1, long)},
		"large item among others":   {put("p", "a", 1, ""), put("p", "s", 1, long)},
		"two writes to one item":    {put("p", "s", 1, ""), put("p", "s", 2, "")},
		"write and delete the same": {put("p", "s", 1, ""), remove("p", "s", 1)},
		"version zero":              {put("p", "s", 0, "")},
		"due without a shard":       {{Item: table.Item{Key: table.Key{PK: "p", SK: "s"}, Version: 1, Due: table.Due{At: "2026"}}}},
		"due without a time":        {{Item: table.Item{Key: table.Key{PK: "p", SK: "s"}, Version: 1, Due: table.Due{Shard: "1"}}}},
	} {
		t.Log(name)
		refused(t, e.Write(ctx, writes...))
	}
	for _, limit := range []int{0, -1, table.MaxPage + 1} {
		_, err := e.Query(ctx, table.Query{PK: "p", Limit: limit})
		refused(t, err)
		_, err = e.Scan(ctx, "", limit)
		refused(t, err)
		_, _, err = e.DueBefore(ctx, "1", "2026", "", limit)
		refused(t, err)
	}
	_, err := e.Query(ctx, table.Query{PK: "p", Prefix: "b", After: "a", Limit: 1})
	refused(t, err)
	_, err = e.Scan(ctx, "no cursor!", 1)
	refused(t, err)
	for _, s := range []table.Segment{{Prefix: "p", SK: "s"}, {Prefix: "p", SK: "s", N: 1, Of: 1}, {Prefix: "p", SK: "s", N: -1, Of: 1}, {Prefix: "p", SK: "s", Of: table.MaxSegments + 1}, {SK: "s", Of: 1}, {Prefix: "p", Of: 1}} {
		_, err = e.Segment(ctx, s, "", 1)
		refused(t, err)
	}
	_, err = e.Segment(ctx, table.Segment{Prefix: "p", SK: "s", Of: 1}, "", table.MaxPage+1)
	refused(t, err)
	_, err = e.Segment(ctx, table.Segment{Prefix: "p", SK: "s", Of: 1}, "no cursor!", 1)
	refused(t, err)
	_, _, err = e.DueBefore(ctx, "1", "2026", "no cursor!", 1)
	refused(t, err)
	page, err := e.Scan(ctx, "", 1000)
	if err != nil || len(page.Items) != 0 {
		t.Errorf("refused writes left %d items, %v", len(page.Items), err)
	}
	must(t, e.Write(ctx, put("p", "s", 1, long[:table.MaxItem-100])), nil) // about the largest that fits
}

func increments(t *testing.T, e table.Engine) {
	const workers, each = 8, 10
	parallel(workers, func(int) {
		for range each {
			retry(t, func() error {
				it, err := e.Get(t.Context(), table.Key{PK: "p", SK: "n"}, true)
				if err != nil && !errors.Is(err, table.ErrNotFound) {
					return err
				}
				// Bodies of two workers are equal when they read the same.
				return e.Write(t.Context(), put("p", "n", it.Version+1, string(it.Body)+"+"))
			})
		}
	})
	if it := get(t, e, "p", "n"); it.Version != workers*each || len(it.Body) != workers*each {
		t.Errorf("counted %d in version %d, want %d", len(it.Body), it.Version, workers*each)
	}
}

func transfers(t *testing.T, e table.Engine) {
	const workers, each, total = 6, 5, 40
	ctx := t.Context()
	must(t, e.Write(ctx, put("p", "a", 1, strings.Repeat("x", total)), put("p", "b", 1, "")), nil)
	parallel(workers, func(n int) {
		from, to := "a", "b"
		if n%2 == 1 {
			from, to = to, from
		}
		for range each {
			retry(t, func() error {
				a, errA := e.Get(ctx, table.Key{PK: "p", SK: from}, true)
				b, errB := e.Get(ctx, table.Key{PK: "p", SK: to}, true)
				if err := errors.Join(errA, errB); err != nil || len(a.Body) == 0 {
					return err
				}
				return e.Write(ctx, put("p", from, a.Version+1, string(a.Body[1:])), put("p", to, b.Version+1, string(b.Body)+"x"))
			})
		}
	})
	a, b := get(t, e, "p", "a"), get(t, e, "p", "b")
	if len(a.Body)+len(b.Body) != total || a.Version != b.Version {
		t.Errorf("%d and %d, versions %d and %d", len(a.Body), len(b.Body), a.Version, b.Version)
	}
}

func creators(t *testing.T, e table.Engine) {
	var mu sync.Mutex
	won := 0
	parallel(12, func(n int) {
		writes := []table.Write{put("p", "s", 1, "equal")}
		if n%2 == 1 { // half of them in a transaction
			writes = append(writes, put("p", fmt.Sprint(n), 1, ""))
		}
		switch err := e.Write(t.Context(), writes...); {
		case err == nil:
			mu.Lock()
			won++
			mu.Unlock()
		case !errors.Is(err, table.ErrConflict):
			t.Error(err)
		}
	})
	if won != 1 {
		t.Errorf("%d creators won", won)
	}
}

func parallel(n int, work func(n int)) {
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() { work(i) })
	}
	group.Wait()
}

// retry decides again after each conflict.
func retry(t testing.TB, decide func() error) {
	for range 10_000 {
		err := decide()
		if errors.Is(err, table.ErrConflict) {
			continue
		}
		if err != nil {
			t.Error(err)
		}
		return
	}
	t.Error("still a conflict after 10,000 tries")
}

func ended(t *testing.T, e table.Engine) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := e.Get(ctx, table.Key{PK: "p", SK: "s"}, true)
	must(t, err, context.Canceled)
	_, err = e.Query(ctx, table.Query{PK: "p", Limit: 1})
	must(t, err, context.Canceled)
	_, err = e.Scan(ctx, "", 1)
	must(t, err, context.Canceled)
	_, err = e.Segment(ctx, table.Segment{Prefix: "p", SK: "s", Of: 1}, "", 1)
	must(t, err, context.Canceled)
	_, _, err = e.DueBefore(ctx, "1", "2026", "", 1)
	must(t, err, context.Canceled)
	must(t, e.Write(ctx, put("p", "s", 1, "")), context.Canceled)
	must(t, e.Write(ctx, put("p", "s", 1, ""), put("p", "t", 1, "")), context.Canceled)
	if it := get(t, e, "p", "s"); it.Version != 0 {
		t.Errorf("written under an ended context: %v", it)
	}
}

func sortKeys(items []table.Item) []string {
	var keys []string
	for _, it := range items {
		keys = append(keys, it.SK)
	}
	return keys
}

func equal(t testing.TB, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}
