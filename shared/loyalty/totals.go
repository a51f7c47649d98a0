package loyalty

// Totals are sums over ledger entries of any number of accounts: points, or
// minor units of a wallet, each with the sign that its entries have. They add
// up in any order. The last four are no entries: what changed of what the
// accounts hold.
type Totals struct {
	Entries    int64 `cbor:"1,keyasint,omitempty"`
	Earned     int64 `cbor:"2,keyasint,omitempty"` // for orders and activities
	Referred   int64 `cbor:"3,keyasint,omitempty"` // for friends
	Spent      int64 `cbor:"4,keyasint,omitempty"`
	Restored   int64 `cbor:"5,keyasint,omitempty"`
	Expired    int64 `cbor:"6,keyasint,omitempty"`
	ClawedBack int64 `cbor:"7,keyasint,omitempty"`
	Adjusted   int64 `cbor:"8,keyasint,omitempty"` // by people, opening balances among it
	WrittenOff int64 `cbor:"9,keyasint,omitempty"`
	Merged     int64 `cbor:"10,keyasint,omitempty"` // zero once both sides are counted
	Activated  int64 `cbor:"11,keyasint,omitempty"` // pending points that became usable; they move nothing

	Pending int64 `cbor:"12,keyasint,omitempty"` // in lots that cannot be used yet
	Owed    int64 `cbor:"13,keyasint,omitempty"` // by members; balances are net of it
	Orders  int64 `cbor:"14,keyasint,omitempty"` // that count
	Revenue int64 `cbor:"15,keyasint,omitempty"` // of those, minor units of the program's currency
}

// Enter adds a ledger entry.
func (t *Totals) Enter(e *Entry) {
	t.Entries++
	switch e.Type {
	case Earn:
		t.Earned += e.Points
	case Refer:
		t.Referred += e.Points
	case Redeem:
		t.Spent += e.Points
	case Restore:
		t.Restored += e.Points
	case Expire:
		t.Expired += e.Points
	case Clawback:
		t.ClawedBack += e.Points
	case Adjust:
		t.Adjusted += e.Points
	case WriteOff:
		t.WrittenOff += e.Points
	case MergeInto:
		t.Merged += e.Points
	case Activate:
		t.Activated += total(e.Lots)
	}
}

// Add adds other totals.
func (t *Totals) Add(o Totals) {
	t.Entries += o.Entries
	t.Earned += o.Earned
	t.Referred += o.Referred
	t.Spent += o.Spent
	t.Restored += o.Restored
	t.Expired += o.Expired
	t.ClawedBack += o.ClawedBack
	t.Adjusted += o.Adjusted
	t.WrittenOff += o.WrittenOff
	t.Merged += o.Merged
	t.Activated += o.Activated
	t.Pending += o.Pending
	t.Owed += o.Owed
	t.Orders += o.Orders
	t.Revenue += o.Revenue
}

// Balance is what all entries come to: the sum of the balances of the accounts.
func (t *Totals) Balance() int64 {
	return t.Earned + t.Referred + t.Spent + t.Restored + t.Expired + t.ClawedBack + t.Adjusted + t.WrittenOff + t.Merged
}

// Stocks are what an account holds beside its balance, as of its last decision.
type Stocks struct {
	_                              struct{} `cbor:",toarray"`
	Pending, Owed, Orders, Revenue int64    // as of Totals
}

// Stocks of the account. One that was merged away holds nothing.
func (a *Account) Stocks() Stocks {
	if a.Into != "" {
		return Stocks{}
	}
	return Stocks{Pending: a.pending(), Owed: a.Owed, Orders: a.Orders, Revenue: a.Purchases.Spent}
}

// Since is how stocks changed, as totals.
func (s Stocks) Since(before Stocks) Totals {
	return Totals{Pending: s.Pending - before.Pending, Owed: s.Owed - before.Owed, Orders: s.Orders - before.Orders, Revenue: s.Revenue - before.Revenue}
}

// Ended are sums over the lots that die in one month: what became of their
// points. Of lots whose end has passed they say what part is ever spent.
type Ended struct {
	_       struct{} `cbor:",toarray"`
	Spent   int64    // and not given back
	Expired int64    // unspent
}

// Add adds others.
func (e *Ended) Add(o Ended) { e.Spent, e.Expired = e.Spent+o.Spent, e.Expired+o.Expired }

// Ends are the parts of an entry that say what became of points of lots with
// an end: how many were spent (below zero: given back) or died, by when the lot dies.
func (e *Entry) Ends(visit func(expires int64, end Ended)) {
	for _, p := range e.Lots {
		switch {
		case p.Expires == 0:
		case e.Type == Redeem || e.Type == Restore:
			visit(p.Expires, Ended{Spent: -p.Points})
		case e.Type == Expire:
			visit(p.Expires, Ended{Expired: -p.Points})
		}
	}
}
