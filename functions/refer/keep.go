package refer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"sync"
	"time"

	"regulars/shared/loyalty"
	"regulars/shared/referrals"
	"regulars/shared/table"
)

// Keeper lets referrals follow what happens to the friends' accounts, and
// rewards who is safe. Doing either twice changes nothing; what is cut short
// is done by the next.
type Keeper struct {
	Store  *table.Store
	Clock  func() time.Time // business time
	Seed   func() string    // a new secret: makes the codes of vouchers
	InTurn bool             // one shard after the other, so that a run can be repeated exactly
}

// Follow brings the referrals of friends whose accounts changed to what the
// accounts say. It answers how many changes, from the first on, are done.
func (k *Keeper) Follow(ctx context.Context, changes []table.Change) (int, error) {
	for i, c := range changes {
		if c.SK != "ACCOUNT" || c.New.Version == 0 {
			continue
		}
		old, now, err := table.Both[loyalty.Account](c)
		if err != nil {
			return i, err
		}
		if now.Referred == nil || old.FirstOrder == now.FirstOrder && reflect.DeepEqual(old.Referred, now.Referred) {
			continue
		}
		if err := k.follow(ctx, table.ProgramOf(c.Key), now.Member); err != nil {
			return i, fmt.Errorf("follow member %s: %w", now.Member, err)
		}
	}
	return len(changes), nil
}

func (k *Keeper) follow(ctx context.Context, program, member string) error {
	by := referrals.By{Now: k.Clock(), Seed: k.Seed()}
	return k.Store.Update(ctx, program, func(tx *table.Tx) error {
		if err := tx.Fresh(); err != nil { // the account decides, and is mostly not written
			return err
		}
		a, err := tx.Holder(member)
		if err != nil {
			return err
		}
		changed, err := referrals.Settle(tx, a, by)
		if err != nil || !changed {
			return err
		}
		return tx.PutAccount(a)
	})
}

// Event starts a run.
type Event struct {
	Schedule string `json:"schedule"`
}

// Report says what a run did.
type Report struct {
	Schedule  string `json:"schedule"`
	Referrals int64  `json:"referrals"` // whose time had come
	Qualified int64  `json:"qualified"`
	Cancelled int64  `json:"cancelled"` // no order in time
	Points    int64  `json:"points"`    // that were given
	Failed    int64  `json:"failed"`    // that could not be settled; they stay due
	Complete  bool   `json:"complete"`  // false: time ran out, the next run continues
}

func (r *Report) add(o Report) {
	r.Referrals += o.Referrals
	r.Qualified += o.Qualified
	r.Cancelled += o.Cancelled
	r.Points += o.Points
	r.Failed += o.Failed
	r.Complete = r.Complete && o.Complete
}

// Run settles every referral whose time has come, the friends of one advocate
// in the order in which they became safe: so they have their ranks. It fails
// when any failed, after trying them all.
func (k *Keeper) Run(ctx context.Context, e Event) (Report, error) {
	report := Report{Schedule: e.Schedule, Complete: true}
	var mu sync.Mutex
	var wg sync.WaitGroup
	var failures []error
	for n := range table.ReferralShards {
		run := func() {
			part, err := k.shard(ctx, table.ReferralShard(n))
			mu.Lock()
			defer mu.Unlock()
			report.add(part)
			failures = append(failures, err)
		}
		if k.InTurn {
			run()
		} else {
			wg.Go(run)
		}
	}
	wg.Wait()
	slog.InfoContext(ctx, "schedule done", "schedule", e.Schedule, "referrals", report.Referrals, "qualified", report.Qualified, "failed", report.Failed, "complete", report.Complete)
	return report, errors.Join(failures...)
}

func (k *Keeper) shard(ctx context.Context, shard string) (Report, error) {
	report := Report{Complete: true}
	var failures error
	now := k.Clock().UTC().Format(time.RFC3339)
	for cursor := ""; ; {
		keys, next, err := k.Store.Engine.DueBefore(ctx, shard, now, cursor, 100)
		if err != nil {
			return report, fmt.Errorf("read %s: %w", shard, err)
		}
		for _, key := range keys {
			if left, ok := ctx.Deadline(); ok && time.Until(left) < 5*time.Second {
				report.Complete = false
				return report, failures
			}
			if err := k.reward(ctx, key, &report); err != nil {
				slog.ErrorContext(ctx, "referral not settled", "pk", key.PK, "error", err)
				report.Failed++
				failures = errors.Join(failures, err)
			}
		}
		if cursor = next; cursor == "" {
			return report, failures
		}
	}
}

func (k *Keeper) reward(ctx context.Context, key table.Key, report *Report) error {
	by := referrals.By{Now: k.Clock(), Seed: k.Seed()}
	var part Report
	err := k.Store.Update(ctx, table.ProgramOf(key), func(tx *table.Tx) error {
		part = Report{Referrals: 1, Complete: true}
		r, err := tx.ReferralAt(key)
		if err != nil {
			return err
		}
		was, had := r.Stage, r.ToAdv.Points+r.ToFri.Points
		if err := referrals.SettleDue(tx, r, by); err != nil {
			return err
		}
		part.Points = r.ToAdv.Points + r.ToFri.Points - had
		if r.Stage != was && r.Stage == loyalty.Qualified {
			part.Qualified = 1
		}
		if r.Stage != was && r.Stage == loyalty.CancelledStage {
			part.Cancelled = 1
		}
		return nil
	})
	if err == nil {
		report.add(part)
	}
	return err
}
