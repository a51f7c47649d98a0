package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"regulars/infra/local"
	"regulars/shared/bucket/buckettest"
	"regulars/shared/loyalty"
	"regulars/shared/refresh"
	"regulars/shared/table"
	"regulars/shared/table/dynamo"
)

// refreshed is what the stages of a run over a crowd took: CPU of this process,
// of making the crowd nothing.
type refreshed struct {
	members                         int
	read, merge, fit, refine, score time.Duration
	memory                          int64 // bytes that the process held at most
	result                          *refresh.Result
}

// all is without the models, whose fit depends on how many different purchases
// there are, and is done once for all shards.
func (r *refreshed) all() time.Duration { return r.read + r.merge + r.refine + r.score }

// refreshCrowd does all steps of a run. walk makes a shard ready, and answers
// what reads it; changed is called with who is in other segments than before.
func refreshCrowd(ctx context.Context, c crowd, files refresh.Files, walk func(shard int) (refresh.Walk, error), changed refresh.Decide) (*refreshed, error) {
	w := refresh.Work{
		Files: files, Of: "run", ShardOf: shardOf,
		Now: func() time.Time { return time.UnixMicro(int64(computed())) }, // what it tells in milliseconds are microseconds of CPU
	}
	if err := w.Keep(ctx, func() (*refresh.Plan, error) { return c.plan(), nil }); err != nil {
		return nil, err
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // as a function has it; collectors on idle threads would count
	peak := highest()
	out := &refreshed{members: c.members}
	timed := func(into *time.Duration, do func() error) error {
		begin := computed()
		err := do()
		*into += computed() - begin
		return err
	}
	each := func(into *time.Duration, do func(context.Context, int) error) error {
		for shard := range refresh.Shards {
			if err := timed(into, func() error { return do(ctx, shard) }); err != nil {
				return err
			}
		}
		return nil
	}
	for shard := range refresh.Shards {
		ready, err := walk(shard)
		if err != nil {
			return nil, err
		}
		runtime.GC() // what making the shard left behind
		if err := timed(&out.read, func() error { return w.Read(ctx, shard, ready) }); err != nil {
			return nil, err
		}
	}
	for more := true; more; {
		if err := timed(&out.merge, func() (err error) { more, err = w.Merge(ctx); return err }); err != nil {
			return nil, err
		}
		if more {
			if err := each(&out.refine, w.Refine); err != nil {
				return nil, err
			}
		}
	}
	if err := each(&out.score, func(ctx context.Context, shard int) error { return w.Score(ctx, shard, changed) }); err != nil {
		return nil, err
	}
	var err error
	if out.result, _, err = w.Finish(ctx); err != nil {
		return nil, err
	}
	out.fit = time.Duration(out.result.Took["fit"]) * time.Microsecond
	out.merge -= out.fit
	out.memory = peak()
	return out, nil
}

// highest begins to look for the most memory that this process holds, as far
// as the system tells.
func highest() func() int64 {
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) // elsewhere than on Linux the answer is 0
	return func() int64 {
		raw, err := os.ReadFile("/proc/self/status")
		if err != nil {
			return 0
		}
		var kb int64
		for line := range strings.Lines(string(raw)) {
			if n, err := fmt.Sscanf(line, "VmHWM: %d kB", &kb); n == 1 && err == nil {
				return kb << 10
			}
		}
		return 0
	}
}

// scoring is a run over a crowd whose sides lie in memory, its files on disk.
func scoring(ctx context.Context, members int) (*refreshed, error) {
	dir, err := os.MkdirTemp("", "regulars-bench")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	c := crowd{members: members}
	return refreshCrowd(ctx, c, local.Dir(dir), c.sides, unwritten)
}

// unwritten is for runs that only find out who changed.
func unwritten(string, bool, func(*loyalty.Account, map[string]string) (bool, error)) error {
	return nil
}

// sides makes the sides of a shard.
func (c crowd) sides(shard int) (refresh.Walk, error) {
	var ids []string
	var packed [][]byte
	err := c.shard(shard, func(_ int, a *loyalty.Account) error {
		ids, packed = append(ids, a.Member), append(packed, a.Side())
		return nil
	})
	return func(_ bool, visit func(string, []byte, map[string]string) error) error {
		for i, s := range packed {
			if err := visit(ids[i], s, nil); err != nil {
				return err
			}
		}
		return nil
	}, err
}

// paged is a run from the raw pages of a table to who changed: with our reader
// of answers, and with the SDK's maps of attributes.
type paged struct {
	asking     time.Duration // the requests alone, by which both are less
	lean, maps *refreshed
}

func pages(ctx context.Context, members int) (*paged, error) {
	c := crowd{members: members}
	if err := c.settle(ctx); err != nil {
		return nil, err
	}
	p := &paged{}
	var err error
	if p.lean, err = refreshCrowd(ctx, c, &buckettest.Memory{}, func(shard int) (refresh.Walk, error) {
		members, err := c.tape(shard)
		if err != nil {
			return nil, err
		}
		group := table.MemberGroup(local.Program, shard)
		store := table.NewStore(dynamo.New(dynamodb.NewFromConfig(record(group, members).config()), tapeTable))
		nothing := dynamo.New(dynamodb.NewFromConfig(empty(len(members)/table.MaxSides+1).config()), tapeTable)
		begin := computed()
		for some := range slices.Chunk(members, table.MaxSides) {
			keys := make([]table.Key, len(some))
			for i := range some {
				keys[i] = some[i].key
			}
			if err := nothing.Sides(ctx, keys, nil); err != nil {
				return nil, err
			}
		}
		p.asking += computed() - begin
		return func(attributes bool, visit func(string, []byte, map[string]string) error) error {
			return store.Sides(ctx, local.Program, shard, attributes, visit)
		}, nil
	}, unwritten); err != nil {
		return nil, err
	}
	p.maps, err = refreshCrowd(ctx, c, &buckettest.Memory{}, func(shard int) (refresh.Walk, error) {
		members, err := c.tape(shard)
		if err != nil {
			return nil, err
		}
		group := table.MemberGroup(local.Program, shard)
		client := dynamodb.NewFromConfig(record(group, members).config())
		return func(_ bool, visit func(string, []byte, map[string]string) error) error {
			return walkMaps(ctx, client, group, visit)
		}, nil
	}, unwritten)
	if err == nil && p.maps.result.Writes != p.lean.result.Writes {
		err = fmt.Errorf("%d changes by maps, %d without", p.maps.result.Writes, p.lean.result.Writes)
	}
	return p, err
}

// tape has the members of a shard.
func (c crowd) tape(shard int) (members []side, err error) {
	err = c.shard(shard, func(_ int, a *loyalty.Account) error { members = append(members, sideOf(a)); return nil })
	return members, err
}

// settle puts all but one in twenty members into the segments that they are in.
func (c *crowd) settle(ctx context.Context) error {
	known, kept := make([]uint16, c.members), map[string]uint16{} // numbers, which the garbage collector does not look at
	_, err := refreshCrowd(ctx, *c, &buckettest.Memory{}, c.sides, func(member string, _ bool, judge func(*loyalty.Account, map[string]string) (bool, error)) error {
		n := numberOf(member)
		if n%20 == 0 { // she is only told of if she should be in any
			c.astray++
			return nil
		}
		a := c.account(n)
		_, err := judge(a, nil)
		sets := strings.Join(a.Segments, " ")
		if kept[sets] == 0 {
			c.sets = append(c.sets, a.Segments)
			kept[sets] = uint16(len(c.sets))
		}
		known[n] = kept[sets]
		return err
	})
	c.known = known
	return err
}

// walkMaps is the walk as the SDK alone does it.
func walkMaps(ctx context.Context, client *dynamodb.Client, group string, visit func(string, []byte, map[string]string) error) error {
	before := len(local.Program + "#MEMBER#")
	in := &dynamodb.QueryInput{
		TableName: aws.String(tapeTable), IndexName: aws.String(table.MembersIndex), KeyConditionExpression: aws.String("m = :m"), Limit: aws.Int32(table.MaxPage),
		ExpressionAttributeValues: map[string]types.AttributeValue{":m": &types.AttributeValueMemberS{Value: group}},
	}
	for {
		page, err := client.Query(ctx, in)
		if err != nil {
			return err
		}
		for some := range slices.Chunk(page.Items, table.MaxSides) {
			ask := types.KeysAndAttributes{ProjectionExpression: aws.String("pk, sk, s")}
			for _, it := range some {
				ask.Keys = append(ask.Keys, map[string]types.AttributeValue{table.AttrPK: it[table.AttrPK], table.AttrSK: it[table.AttrSK]})
			}
			out, err := client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{tapeTable: ask}})
			if err != nil {
				return err
			}
			for _, it := range out.Responses[tapeTable] {
				pk, named := it[table.AttrPK].(*types.AttributeValueMemberS)
				s, packed := it[table.AttrSide].(*types.AttributeValueMemberB)
				if !named || !packed {
					return fmt.Errorf("an account without a side: %v", it)
				}
				if err := visit(pk.Value[before:], s.Value, nil); err != nil {
					return err
				}
			}
		}
		if in.ExclusiveStartKey = page.LastEvaluatedKey; len(in.ExclusiveStartKey) == 0 {
			return nil
		}
	}
}
