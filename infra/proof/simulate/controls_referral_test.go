package main

import (
	"context"
	"slices"
	"strings"

	"regulars/shared/loyalty"
	"regulars/shared/table"
)

// What systems of this kind get wrong about friends.

func isReferral(k table.Key) bool { return strings.HasPrefix(k.SK, "REFERRAL#") }

// ranking finds no referral ranked whose reward is given.
type ranking struct{ table.Engine }

func (e *ranking) Get(ctx context.Context, k table.Key, c bool) (table.Item, error) {
	it, err := e.Engine.Get(ctx, k, c)
	if !isReferral(k) {
		return it, err
	}
	return change(it, err, func(r *loyalty.Referral) { r.Rank = 0 })
}

// lenient writes an order without what it does to a referral.
type lenient struct{ table.Engine }

func (e *lenient) Write(ctx context.Context, writes ...table.Write) error {
	if slices.ContainsFunc(writes, func(w table.Write) bool { return isOrder(w.Item.Key) }) {
		writes = slices.DeleteFunc(writes, func(w table.Write) bool { return isReferral(w.Item.Key) })
	}
	return e.Engine.Write(ctx, writes...)
}

// anyOrder forgets which order of a friend counts, until it is rewarded.
type anyOrder struct{ table.Engine }

func (e *anyOrder) Get(ctx context.Context, k table.Key, c bool) (table.Item, error) {
	it, err := e.Engine.Get(ctx, k, c)
	if k.SK != "ACCOUNT" {
		return it, err
	}
	return change(it, err, func(a *loyalty.Account) {
		if f := a.Referred; f != nil && !f.Ranked {
			f.Order, f.Paid = loyalty.OrderRef{}, 0
		}
	})
}

// forgotten finds no registration.
type forgotten struct{ table.Engine }

func (e *forgotten) Get(ctx context.Context, k table.Key, c bool) (table.Item, error) {
	if k.SK == "FRIEND" {
		return table.Item{}, table.ErrNotFound
	}
	return e.Engine.Get(ctx, k, c)
}

func (e *forgotten) Write(ctx context.Context, writes ...table.Write) error {
	return anew(ctx, e.Engine, writes, func(k table.Key) bool { return k.SK == "FRIEND" })
}

// twins lets members who are merged keep their own referrals: what a merge
// decides about them is not written.
type twins struct{ table.Engine }

func (e *twins) Write(ctx context.Context, writes ...table.Write) error {
	if slices.ContainsFunc(writes, func(w table.Write) bool { return w.Item.SK == "PROFILE" }) {
		writes = slices.DeleteFunc(writes, func(w table.Write) bool { return isReferral(w.Item.Key) })
	}
	return e.Engine.Write(ctx, writes...)
}

// everywhere takes a code for one of whichever program asks.
type everywhere struct{ table.Engine }

func (e *everywhere) Get(ctx context.Context, k table.Key, c bool) (table.Item, error) {
	it, err := e.Engine.Get(ctx, k, c)
	t, ok := ctx.Value(taskKey{}).(*task)
	if !ok || k.SK != "CODE" || t.program == "" {
		return it, err
	}
	return change(it, err, func(o *table.CodeOwner) { o.Program = t.program })
}

// trusting remembers no network.
type trusting struct{ table.Engine }

func (e *trusting) Query(ctx context.Context, q table.Query) (table.Page, error) {
	if q.Prefix == "SEEN#" {
		return table.Page{}, nil
	}
	return e.Engine.Query(ctx, q)
}

func (e *trusting) Write(ctx context.Context, writes ...table.Write) error {
	return anew(ctx, e.Engine, writes, func(k table.Key) bool { return strings.HasPrefix(k.SK, "SEEN#") })
}
