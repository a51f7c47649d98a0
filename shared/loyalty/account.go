package loyalty

import (
	"cmp"
	"slices"
	"time"
)

// Account is a member's points: all that decides about them, in one item.
// Balance == points in lots + points held - Owed, always.
type Account struct {
	Member  string  `cbor:"1,keyasint"`
	Seq     int64   `cbor:"2,keyasint,omitempty"` // number of the newest ledger entry
	Balance int64   `cbor:"3,keyasint,omitempty"` // sum of all entries
	Lots    Lots    `cbor:"5,keyasint,omitempty"` // in the order in which they are spent
	Holds   []Hold  `cbor:"6,keyasint,omitempty"`
	Owed    int64   `cbor:"7,keyasint,omitempty"`  // clawed back beyond what was there; paid by the next points
	Tail    Entries `cbor:"8,keyasint,omitempty"`  // the newest entries, oldest first, at least the last; earlier ones are on pages
	At      int64   `cbor:"9,keyasint,omitempty"`  // business time of the last decision, unix seconds
	Into    string  `cbor:"10,keyasint,omitempty"` // the member this one was merged into
	Dead    Parts   `cbor:"11,keyasint,omitempty"` // what died unspent, by expiry; the newest few

	Wallet      string       `cbor:"12,keyasint,omitempty"` // of what it is the account; "" is points, and all that follows is there
	Wallets     []string     `cbor:"13,keyasint,omitempty"` // of which else the member has one
	Orders      int64        `cbor:"14,keyasint,omitempty"` // orders that count, those that came back whole not among them
	Standing    Standing     `cbor:"15,keyasint,omitzero"`
	Tallies     Tallies      `cbor:"16,keyasint,omitempty"`
	Goals       []Reached    `cbor:"17,keyasint,omitempty"`
	Vouchers    []Open       `cbor:"18,keyasint,omitempty"` // not used yet, oldest first
	Memberships []Membership `cbor:"19,keyasint,omitempty"`
	Spells      []Spell      `cbor:"20,keyasint,omitempty"`
	Segments    []string     `cbor:"-"` // on the side, as is
	Segmented   int64        `cbor:"-"` // when the refresh began that said so last, unix seconds
	SegmentSeq  int64        `cbor:"-"` // how often they changed
	Born        int64        `cbor:"-"` // month of birth in the Gregorian calendar, 1 to 12; 0 when it is not known
	Purchases   Purchases    `cbor:"-"` // brought to a record's Bought by package table, after Apply

	Referred   *Referred `cbor:"30,keyasint,omitempty"` // who sent the member; nil: nobody
	Advocacy   Advocacy  `cbor:"31,keyasint,omitzero"`  // whom the member sent
	FirstOrder int64     `cbor:"32,keyasint,omitempty"` // when the earliest order that ever counted was paid, unix seconds
	Marks      []Mark    `cbor:"33,keyasint,omitempty"` // signs by which the member may be known again
	Mood       Mood      `cbor:"34,keyasint,omitzero"`  // what the member said of the shop
}

// owner is whose entries a ledger's chain says they are: the member, and the
// wallet where it is not points.
func (a *Account) owner() string {
	if a.Wallet == "" {
		return a.Member
	}
	return a.Member + "/" + a.Wallet
}

// AddWallet notes that the member has an account of a wallet.
func (a *Account) AddWallet(wallet string) {
	if wallet != "" && !slices.Contains(a.Wallets, wallet) {
		a.Wallets = append(a.Wallets, wallet)
	}
}

// Lot is a batch of points with one expiry. Points earned at different times
// that die at the same instant are one lot.
type Lot struct {
	Active  int64 // unix seconds when the points become usable; 0 once they are
	Expires int64 // unix seconds when they die; 0 is never
	Points  int64
}

// Hold keeps points of some lots for a purchase. Held points do not expire:
// what a shopper was promised at the till stays until the hold ends.
type Hold struct {
	_     struct{} `cbor:",toarray"`
	ID    string
	Until int64 // unix seconds when it ends by itself; 0: never
	Parts Parts
}

// Points is how much the hold keeps.
func (h *Hold) Points() int64 { return total(h.Parts) }

// Balance is what a member has at an instant.
type Balance struct {
	Available int64 // can be spent; below zero only under the policy Negative
	Pending   int64 // earned, not yet usable
	Held      int64
	Debt      int64
	Expiring  []Part // all that will expire, one part per instant, earliest first
}

// BalanceAt is the account at an instant, by the clock: what is past its time
// is gone whether or not a job has written it down.
func (a *Account) BalanceAt(now time.Time, t *Terms) Balance {
	at := a.AsOf(now, t)
	b := Balance{Held: at.held(), Debt: at.Owed}
	if t.Clawback == Negative {
		b.Available, b.Debt = -at.Owed, 0
	}
	for _, l := range at.Lots {
		if l.Active > 0 {
			b.Pending += l.Points
		} else {
			b.Available += l.Points
		}
		if l.Expires == 0 {
			continue
		}
		if n := len(b.Expiring); n > 0 && b.Expiring[n-1].Expires == l.Expires {
			b.Expiring[n-1].Points += l.Points
		} else {
			b.Expiring = append(b.Expiring, Part{Expires: l.Expires, Points: l.Points})
		}
	}
	return b
}

// AsOf is the account as the clock has it at an instant; the account itself
// stays as it is.
func (a *Account) AsOf(now time.Time, t *Terms) *Account {
	c := a.clone()
	c.Settle(now, t)
	return c
}

// clone copies what a decision may change.
func (a *Account) clone() *Account {
	c := *a
	c.Lots = slices.Clone(a.Lots)
	c.Holds = slices.Clone(a.Holds)
	c.Tail = slices.Clone(a.Tail)
	c.Dead = slices.Clone(a.Dead)
	c.Tallies = slices.Clone(a.Tallies)
	c.Goals = slices.Clone(a.Goals)
	for i := range c.Goals {
		c.Goals[i].Ends = slices.Clone(c.Goals[i].Ends)
	}
	c.Vouchers = slices.Clone(a.Vouchers)
	c.Memberships = slices.Clone(a.Memberships)
	c.Spells = slices.Clone(a.Spells)
	c.Standing.Months = slices.Clone(a.Standing.Months)
	c.Purchases.Stores = slices.Clone(a.Purchases.Stores) // the rest is never changed in place
	return &c
}

// NextDue is the earliest instant at which the clock decides something about
// the account, unix seconds; 0 when nothing is to come.
func (a *Account) NextDue() int64 {
	var next int64
	consider := func(at int64) {
		if at > 0 && (next == 0 || at < next) {
			next = at
		}
	}
	for _, l := range a.Lots {
		consider(l.Active)
		consider(l.Expires)
	}
	for _, h := range a.Holds {
		consider(h.Until)
	}
	for _, v := range a.Vouchers {
		consider(v.Until)
	}
	for _, m := range a.Memberships {
		consider(m.Until)
	}
	for _, s := range a.Spells {
		consider(s.Ends)
		consider(s.Offer.Until)
	}
	consider(a.Standing.Until)
	consider(a.Standing.Warn)
	consider(a.Standing.Shifts)
	return next
}

// Settle writes down what the clock has decided up to now, each thing at its
// own instant and in the order of time: holds end, pending points become
// usable, lots die. Every decision begins with it, and the schedules do
// nothing else. Settling twice changes nothing.
func (a *Account) Settle(now time.Time, t *Terms) {
	for {
		due := a.NextDue()
		if due == 0 || due > now.Unix() {
			break
		}
		// A lot that was already over when it arrived dies when it arrives.
		at := max(due, a.At)
		a.endHolds(due)
		a.activate(due, at)
		a.expire(due, at)
		a.payOwed(at, t)
		a.closeBonuses(due, at, t)
		a.stand(time.Unix(due, 0), t)
		a.Vouchers = slices.DeleteFunc(a.Vouchers, func(v Open) bool { return v.Until > 0 && v.Until <= due })
		a.Memberships = slices.DeleteFunc(a.Memberships, func(m Membership) bool { return m.Until <= due })
		a.At = at
	}
}

func (a *Account) endHolds(due int64) {
	a.Holds = slices.DeleteFunc(a.Holds, func(h Hold) bool {
		if h.Until == 0 || h.Until > due { // 0: it waits for people
			return false
		}
		a.putBack(h.Parts)
		return true
	})
}

func (a *Account) activate(due, at int64) {
	var parts []Part
	var rest []Lot
	for _, l := range a.Lots {
		if l.Active > 0 && l.Active <= due {
			parts = append(parts, Part{Expires: l.Expires, Points: l.Points})
		} else {
			rest = append(rest, l)
		}
	}
	if len(parts) == 0 {
		return
	}
	a.Lots = rest
	a.putBack(parts)
	a.append(Entry{Type: Activate, At: at, Lots: parts})
}

func (a *Account) expire(due, at int64) {
	var parts []Part
	a.Lots = slices.DeleteFunc(a.Lots, func(l Lot) bool {
		if l.Expires == 0 || l.Expires > due {
			return false
		}
		parts = append(parts, Part{Expires: l.Expires, Points: -l.Points})
		a.die(l.Expires, l.Points)
		return true
	})
	if len(parts) > 0 {
		a.append(Entry{Type: Expire, Points: total(parts), At: at, Lots: parts})
	}
}

// What died unspent is remembered for as long as a refund may come late, and
// never more than is small beside the lots.
const (
	deadKept = 16
	deadFor  = 60 * 24 * 60 * 60 // seconds
)

func (a *Account) die(expires, points int64) {
	for i := range a.Dead {
		if a.Dead[i].Expires == expires {
			a.Dead[i].Points += points
			return
		}
	}
	a.Dead = slices.DeleteFunc(a.Dead, func(d Part) bool { return d.Expires < expires-deadFor })
	a.Dead = append(a.Dead, Part{Expires: expires, Points: points})
	a.Dead = a.Dead[max(0, len(a.Dead)-deadKept):]
}

// undie answers how many points of an expiry died unspent, at most points,
// and counts them as accounted for.
func (a *Account) undie(expires, points int64) int64 {
	for i := range a.Dead {
		if d := &a.Dead[i]; d.Expires == expires {
			n := min(points, d.Points)
			if d.Points -= n; d.Points == 0 {
				a.Dead = slices.Delete(a.Dead, i, i+1)
			}
			return n
		}
	}
	return 0
}

// payOwed pays what is owed from the points that can be used. Under clamp the
// program bears what neither these nor points still held or pending can pay.
func (a *Account) payOwed(at int64, t *Terms) {
	if a.Owed == 0 {
		return
	}
	a.Owed -= total(a.take(min(a.Owed, a.usable())))
	if later := a.held() + a.pending(); t.Clawback == Clamp && a.Owed > later {
		a.append(Entry{Type: WriteOff, Points: a.Owed - later, At: at, Terms: t.Version})
		a.Owed = later
	}
}

// head is the hash of the newest entry, zero before there is one.
func (a *Account) head() Hash {
	if len(a.Tail) == 0 {
		return Hash{}
	}
	return a.Tail[len(a.Tail)-1].Hash
}

// append writes an entry: its balance, its hash, its number.
func (a *Account) append(e Entry) {
	a.Balance += e.Points
	a.Seq++
	e.Balance = a.Balance
	e.Hash = e.chain(a.owner(), a.Seq, a.head())
	a.Tail = append(a.Tail, e)
}

// put adds points to the lot with that activation and expiry.
func (a *Account) put(active, expires, points int64) {
	if points == 0 {
		return
	}
	for i := range a.Lots {
		if a.Lots[i].Active == active && a.Lots[i].Expires == expires {
			a.Lots[i].Points += points
			return
		}
	}
	a.Lots = append(a.Lots, Lot{Active: active, Expires: expires, Points: points})
	slices.SortStableFunc(a.Lots, func(x, y Lot) int {
		return cmp.Or(compareExpiry(x.Expires, y.Expires), cmp.Compare(x.Active, y.Active))
	})
}

// compareExpiry orders instants with 0, never, last.
func compareExpiry(x, y int64) int { return cmp.Compare(uint64(x)-1, uint64(y)-1) }

func (a *Account) putBack(parts []Part) {
	for _, p := range parts {
		a.put(0, p.Expires, p.Points)
	}
}

// take removes usable points, earliest expiry first (SC7). The caller has
// made sure that there are as many.
func (a *Account) take(points int64) []Part {
	var parts []Part
	for i := range a.Lots {
		l := &a.Lots[i]
		if l.Active > 0 || points == 0 {
			continue
		}
		n := min(points, l.Points)
		l.Points -= n
		points -= n
		parts = append(parts, Part{Expires: l.Expires, Points: n})
	}
	a.dropEmpty()
	return parts
}

// takeFrom removes up to points from one lot.
func (a *Account) takeFrom(active, expires, points int64) int64 {
	for i := range a.Lots {
		if l := &a.Lots[i]; l.Active == active && l.Expires == expires {
			n := min(points, l.Points)
			l.Points -= n
			a.dropEmpty()
			return n
		}
	}
	return 0
}

func (a *Account) dropEmpty() {
	a.Lots = slices.DeleteFunc(a.Lots, func(l Lot) bool { return l.Points == 0 })
}

func (a *Account) usable() (n int64) {
	for _, l := range a.Lots {
		if l.Active == 0 {
			n += l.Points
		}
	}
	return n
}

func (a *Account) pending() (n int64) {
	for _, l := range a.Lots {
		if l.Active > 0 {
			n += l.Points
		}
	}
	return n
}

func (a *Account) held() (n int64) {
	for i := range a.Holds {
		n += a.Holds[i].Points()
	}
	return n
}

// stock is what the ledger's balance must equal.
func (a *Account) stock() int64 { return a.usable() + a.pending() + a.held() - a.Owed }

func total(parts []Part) (n int64) {
	for _, p := range parts {
		n += p.Points
	}
	return n
}
