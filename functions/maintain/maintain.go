// Package maintain is what the schedules run: it writes down and so announces
// what the clock has already decided, member by member. Points and holds are
// over at their instant whether or not it runs; running it twice, or two of
// it at once, changes nothing; a run that is cut short is continued by the
// next.
package maintain

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"regulars/shared/loyalty"
	"regulars/shared/table"
)

// Handler runs the schedules.
type Handler struct {
	Store  *table.Store
	Clock  func() time.Time // business time
	InTurn bool             // one shard after the other, so that a run can be repeated exactly
}

// Event starts a run.
type Event struct {
	Schedule string `json:"schedule"` // a name of the topology's schedules
}

// Report says what a run did.
type Report struct {
	Schedule  string `json:"schedule"`
	Members   int64  `json:"members"`   // whose accounts were due
	Entries   int64  `json:"entries"`   // ledger entries written
	Activated int64  `json:"activated"` // points that became usable; of other wallets, entries tells
	Expired   int64  `json:"expired"`   // points that died, likewise
	Holds     int64  `json:"holds"`     // holds that ended by themselves
	Contests  int64  `json:"contests"`  // leaderboards whose prizes were given
	Failed    int64  `json:"failed"`    // accounts that could not be settled; they stay due
	Complete  bool   `json:"complete"`  // false: time ran out, the next run continues
}

// pageSize is how many due accounts are read at once.
const pageSize = 100

// Run settles every account that is due. It fails when any account failed,
// after trying them all.
func (h *Handler) Run(ctx context.Context, e Event) (Report, error) {
	report := Report{Schedule: e.Schedule, Complete: true}
	var mu sync.Mutex
	var wg sync.WaitGroup
	var failures []error
	for n := range table.DueShards {
		settle := func() {
			part, err := h.shard(ctx, table.DueShard(n))
			mu.Lock()
			defer mu.Unlock()
			report.add(part)
			if err != nil {
				failures = append(failures, err)
			}
		}
		if h.InTurn {
			settle()
		} else {
			wg.Go(settle)
		}
	}
	wg.Wait()
	slog.InfoContext(ctx, "schedule done", "schedule", e.Schedule, "members", report.Members, "entries", report.Entries, "failed", report.Failed, "complete", report.Complete)
	return report, errors.Join(failures...)
}

func (r *Report) add(o Report) {
	r.Members += o.Members
	r.Entries += o.Entries
	r.Activated += o.Activated
	r.Expired += o.Expired
	r.Holds += o.Holds
	r.Contests += o.Contests
	r.Failed += o.Failed
	r.Complete = r.Complete && o.Complete
}

func (h *Handler) shard(ctx context.Context, shard string) (Report, error) {
	report := Report{Complete: true}
	var first error
	seen := map[string]bool{}
	now := h.Clock().UTC().Format(time.RFC3339)
	for cursor := ""; ; {
		keys, next, err := h.Store.Engine.DueBefore(ctx, shard, now, cursor, pageSize)
		if err != nil {
			return report, fmt.Errorf("read %s: %w", shard, err)
		}
		for _, k := range keys {
			if left, ok := ctx.Deadline(); ok && time.Until(left) < 5*time.Second {
				report.Complete = false
				return report, first
			}
			settle := h.settle
			if k.SK == "BOARD" {
				settle = h.contest
			}
			if err := settle(ctx, k, &report); err != nil {
				slog.ErrorContext(ctx, "account not settled", "pk", k.PK, "error", err)
				report.Failed++
				first = errors.Join(first, err)
			} else if !seen[k.PK] { // who has wallets has several accounts
				seen[k.PK] = true
				report.Members++
			}
		}
		if cursor = next; cursor == "" {
			return report, first
		}
	}
}

func (h *Handler) settle(ctx context.Context, k table.Key, report *Report) error {
	program := table.ProgramOf(k)
	member := k.PK[strings.LastIndexByte(k.PK, '#')+1:]
	var part Report
	err := h.Store.Update(ctx, program, func(tx *table.Tx) error {
		part = Report{Complete: true}
		t, err := tx.TermsOfMember(member)
		if err != nil {
			return err
		}
		a, err := tx.WalletAccount(member, table.WalletOf(k))
		if err != nil {
			return err
		}
		t, _ = t.In(a.Wallet)
		from, holds := a.Seq, len(a.Holds)
		a.Settle(h.Clock(), t)
		part.Holds = int64(holds - len(a.Holds))
		for _, e := range a.Tail[len(a.Tail)-int(a.Seq-from):] {
			part.Entries++
			switch {
			case a.Wallet != "": // minor units are not points
			case e.Type == loyalty.Activate:
				for _, l := range e.Lots {
					part.Activated += l.Points
				}
			case e.Type == loyalty.Expire:
				part.Expired -= e.Points
			}
		}
		return tx.Settled(a)
	})
	if err == nil {
		report.add(part)
	}
	return err
}
