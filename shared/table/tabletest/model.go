package tabletest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"regulars/shared/table"
)

// model compares the engine to a map under random calls. Every round has
// partitions and shards of its own, so all can share the engine.
func model(t *testing.T, e table.Engine) {
	round := 0
	rapid.Check(t, func(rt *rapid.T) {
		round++
		ctx := t.Context()
		want := map[table.Key]table.Item{}
		name := func(kind string) *rapid.Generator[string] {
			return rapid.SampledFrom([]string{fmt.Sprint(kind, round, "a"), fmt.Sprint(kind, round, "b")})
		}
		sortKey := rapid.SampledFrom([]string{"a", "a#1", "a#2", "b", "é"})
		instant := rapid.SampledFrom([]string{"2026-01-01T00:00:00Z", "2026-06-01T00:00:00Z", "2027-01-01T00:00:00Z"})

		write := rapid.Custom(func(rt *rapid.T) table.Write {
			key := table.Key{PK: name("p").Draw(rt, "pk"), SK: sortKey.Draw(rt, "sk")}
			w := table.Write{Item: table.Item{Key: key, Body: rapid.SliceOfN(rapid.Byte(), 0, 8).Draw(rt, "body")}}
			w.Delete = rapid.IntRange(0, 3).Draw(rt, "delete") == 0
			w.Item.Version = want[key].Version + 1
			if w.Delete {
				w.Item.Version--
			}
			// Mostly right, now and then not.
			if rapid.IntRange(0, 7).Draw(rt, "wrong") == 0 {
				w.Item.Version += rapid.Int64Range(-1, 1).Draw(rt, "by")
			}
			w.Item.Version = max(1, w.Item.Version)
			if rapid.Bool().Draw(rt, "due") {
				w.Item.Due = table.Due{Shard: name("d").Draw(rt, "shard"), At: instant.Draw(rt, "at")}
			}
			w.Item.Expires = rapid.SampledFrom([]int64{0, 4_102_444_800}).Draw(rt, "expires")
			return w
		})
		writes := rapid.SliceOfNDistinct(write, 1, 4, func(w table.Write) table.Key { return w.Item.Key })

		rt.Repeat(map[string]func(*rapid.T){
			"write": func(rt *rapid.T) {
				ws := writes.Draw(rt, "writes")
				holds := !slices.ContainsFunc(ws, func(w table.Write) bool {
					stored := want[w.Item.Key].Version
					return w.Delete && stored != w.Item.Version || !w.Delete && stored != w.Item.Version-1
				})
				err := e.Write(ctx, ws...)
				if holds && err != nil || !holds && !errors.Is(err, table.ErrConflict) {
					rt.Fatalf("versions hold: %v, got %v", holds, err)
				}
				for _, w := range ws {
					switch {
					case holds && w.Delete:
						delete(want, w.Item.Key)
					case holds:
						want[w.Item.Key] = w.Item
					}
				}
			},
			"get": func(rt *rapid.T) {
				key := table.Key{PK: name("p").Draw(rt, "pk"), SK: sortKey.Draw(rt, "sk")}
				got, err := e.Get(ctx, key, true)
				stored, ok := want[key]
				if ok && (err != nil || !same(got, stored)) || !ok && !errors.Is(err, table.ErrNotFound) {
					rt.Fatalf("got %v, %v, want %v", got, err, stored)
				}
			},
			"query": func(rt *rapid.T) {
				q := table.Query{
					PK: name("p").Draw(rt, "pk"), Prefix: rapid.SampledFrom([]string{"", "a", "a#"}).Draw(rt, "prefix"),
					Desc: rapid.Bool().Draw(rt, "desc"), Limit: rapid.IntRange(1, 5).Draw(rt, "limit"),
				}
				var expect []string
				for k := range want {
					if k.PK == q.PK && strings.HasPrefix(k.SK, q.Prefix) {
						expect = append(expect, k.SK)
					}
				}
				slices.Sort(expect)
				if q.Desc {
					slices.Reverse(expect)
				}
				items := collect(t, e, q)
				if got := sortKeys(items); !slices.Equal(got, expect) {
					rt.Fatalf("got %q, want %q", got, expect)
				}
				for _, it := range items {
					if !same(it, want[it.Key]) {
						rt.Fatalf("got %v, want %v", it, want[it.Key])
					}
				}
			},
			"due": func(rt *rapid.T) {
				shard, before := name("d").Draw(rt, "shard"), instant.Draw(rt, "before")
				var expect []string
				for k, it := range want {
					if it.Due.Shard == shard && it.Due.At <= before {
						expect = append(expect, k.PK+"/"+k.SK)
					}
				}
				got := dueKeys(t, e, shard, before, rapid.IntRange(1, 4).Draw(rt, "limit"))
				slices.Sort(expect)
				slices.Sort(got)
				if !slices.Equal(got, expect) {
					rt.Fatalf("got %q, want %q", got, expect)
				}
			},
		})
	})
}
