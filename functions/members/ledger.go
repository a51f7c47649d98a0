package members

import (
	"context"
	"net/http"
	"slices"
	"strconv"

	"regulars/shared/loyalty"
	"regulars/shared/person"
	"regulars/shared/table"
	"regulars/shared/web"
)

// own answers what read makes of the ledger of the member in the path: its
// own, also when it was merged, for entries stay where they were written.
func (h *Handler) own(ctx context.Context, r *web.Request, read func(*table.Tx, *loyalty.Account) (any, error)) (web.Answer, error) {
	var out web.Answer
	id, err := r.PathID("id", "mem_", "member")
	if err != nil {
		return out, err
	}
	err = h.Gate.Store.View(ctx, r.Program, func(tx *table.Tx) error {
		a, err := tx.Account(id)
		if err != nil {
			return err
		}
		if wallet := r.URL.Query().Get("wallet"); wallet != "" {
			if !slices.Contains(a.Wallets, wallet) {
				return loyalty.NotFound("wallet")
			}
			if a, err = tx.WalletAccount(id, wallet); err != nil {
				return err
			}
		}
		out.Body, err = read(tx, a)
		return err
	})
	return out, err
}

func (h *Handler) ledger(ctx context.Context, r *web.Request) (web.Answer, error) {
	limit, err := r.Limit()
	if err != nil {
		return web.Answer{}, err
	}
	from, err := r.After()
	if err != nil {
		return web.Answer{}, err
	}
	return h.own(ctx, r, func(tx *table.Tx, a *loyalty.Account) (any, error) {
		list, err := tx.Entries(a, from, limit+1)
		if err != nil {
			return nil, err
		}
		page := web.Page[web.Entry]{Data: web.EntriesOf(list[:min(limit, len(list))])}
		if len(list) > limit {
			page.HasMore, page.NextCursor = true, web.Cursor(list[limit].Seq)
		}
		return page, nil
	})
}

// Verification is the outcome of recomputing a member's ledger: the chain of
// hashes, the running balances, the account and the books.
type Verification struct {
	Valid    bool          `json:"valid"`
	Entries  int64         `json:"entries"`
	FirstBad *string       `json:"first_bad,omitempty"` // id of the first entry that does not hold
	Books    loyalty.Books `json:"books"`
}

func (h *Handler) verify(ctx context.Context, r *web.Request) (web.Answer, error) {
	return h.own(ctx, r, func(tx *table.Tx, a *loyalty.Account) (any, error) {
		entries, err := tx.Ledger(a)
		if err != nil {
			return nil, err
		}
		v := loyalty.Verify(a, entries)
		out := Verification{Valid: v.Valid, Entries: v.Entries, Books: v.Books}
		if !v.Valid {
			id := web.EntryID(a.Member, a.Wallet, v.FirstBad)
			out.FirstBad = &id
		}
		return out, nil
	})
}

// OrderLine is one order in a member's list: the newest entry that it caused.
type OrderLine struct {
	web.OrderID
	Points int64  `json:"points"` // what the order is worth now
	State  string `json:"state"`
}

// perLedger parts a cursor of the list of orders into which ledger (the
// member's, then those of members merged into it) and which entry there.
const perLedger = 1 << 40

// orders lists the orders that reached the member's ledger, newest movement
// first, and then those of the members that were merged into it.
func (h *Handler) orders(ctx context.Context, r *web.Request) (web.Answer, error) {
	limit, err := r.Limit()
	if err != nil {
		return web.Answer{}, err
	}
	after, err := r.After()
	if err != nil {
		return web.Answer{}, err
	}
	return h.view(ctx, r, func(tx *table.Tx, a *loyalty.Account) (any, error) {
		p, _, err := tx.Profile(a.Member)
		if err != nil {
			return nil, err
		}
		page := web.Page[OrderLine]{Data: []OrderLine{}}
		ledgers := append([]string{a.Member}, p.Merged...)
		for i := after / perLedger; i < int64(len(ledgers)); i++ {
			next, err := ordersOf(tx, ledgers[i], after%perLedger, limit, &page)
			if err != nil {
				return nil, err
			}
			if next > 0 {
				page.HasMore, page.NextCursor = true, web.Cursor(i*perLedger+next)
				return page, nil
			}
			after = 0
		}
		return page, nil
	})
}

// ordersOf adds the orders of one ledger to the page, from entry number
// `from` down (0: the newest). It answers the entry to go on with when the
// page is full, else 0.
func ordersOf(tx *table.Tx, member string, from int64, limit int, page *web.Page[OrderLine]) (next int64, err error) {
	a, err := tx.Account(member)
	if err != nil {
		return 0, err
	}
	const chunk = 200
	for {
		list, err := tx.Entries(a, from, chunk)
		if err != nil {
			return 0, err
		}
		for _, e := range list {
			rec, err := newestOf(tx, a, e)
			if err != nil {
				return 0, err
			}
			if rec == nil {
				continue
			}
			if len(page.Data) == limit {
				return e.Seq, nil
			}
			page.Data = append(page.Data, OrderLine{web.OrderID{Source: e.Source, ID: e.Order}, rec.Points, string(rec.Order.State)})
		}
		if len(list) < chunk || list[chunk-1].Seq == 1 {
			return 0, nil
		}
		from = list[chunk-1].Seq - 1
	}
}

// newestOf reads the order of an entry if the entry is the newest that the
// order wrote to this ledger; so each order is listed once.
func newestOf(tx *table.Tx, a *loyalty.Account, e table.Numbered) (*loyalty.Record, error) {
	if e.Order == "" {
		return nil, nil
	}
	rec, err := tx.Record(loyalty.OrderRef{Source: e.Source, ID: e.Order})
	if err != nil || rec == nil {
		return nil, err
	}
	for _, last := range slices.Backward(rec.Entries) {
		if last.Wallet == "" {
			if rec.Member == a.Member && last.Member == "" && last.Seq == e.Seq {
				return rec, nil
			}
			break
		}
	}
	return nil, nil
}

func (h *Handler) adjust(ctx context.Context, r *web.Request) (web.Answer, error) {
	var q struct {
		Points *int64 `json:"points"`
		Reason string `json:"reason"`
	}
	if err := r.Decode(&q); err != nil {
		return web.Answer{}, err
	}
	if q.Points == nil || *q.Points == 0 || *q.Points > loyalty.MaxPoints || *q.Points < -loyalty.MaxPoints {
		v := ""
		if q.Points != nil {
			v = strconv.FormatInt(*q.Points, 10)
		}
		return web.Answer{}, loyalty.Malformed("/points", v, "must be a whole number other than 0")
	}
	if q.Reason == "" || len(q.Reason) > 200 || !person.Printable(q.Reason) {
		return web.Answer{}, loyalty.Malformed("/reason", q.Reason, "must say why in 1 to 200 bytes")
	}
	ref, now := "adj_"+h.Gate.ID(), h.Gate.Clock()
	return h.Gate.Update(ctx, r, func(tx *table.Tx) (web.Answer, error) {
		a, err := tx.HolderOf(r.PathValue("id"))
		if err != nil {
			return web.Answer{}, err
		}
		t, err := tx.TermsOfMember(a.Member)
		if err != nil {
			return web.Answer{}, err
		}
		if err := a.Adjust(*q.Points, ref, q.Reason, t, now); err != nil {
			return web.Answer{}, err
		}
		if err := tx.PutAccount(a); err != nil {
			return web.Answer{}, err
		}
		i := len(a.Tail) - 1
		for a.Tail[i].Type != loyalty.Adjust { // a write-off may follow it
			i--
		}
		list, err := tx.Entries(a, a.Seq-int64(len(a.Tail)-1-i), 2)
		if err != nil {
			return web.Answer{}, err
		}
		return web.Answer{Status: http.StatusCreated, Body: web.EntryOf(list[0])}, nil
	})
}
