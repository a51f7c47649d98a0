package web

import (
	"encoding/hex"
	"fmt"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"

	"regulars/shared/loyalty"
	"regulars/shared/table"
)

// The shapes of the API that more than one function answers with.

// OrderID names an order: the storefront and its id there.
type OrderID struct {
	Source string `json:"source"`
	ID     string `json:"id"`
}

// OrderOf is nil for the zero reference.
func OrderOf(ref loyalty.OrderRef) *OrderID {
	if ref == (loyalty.OrderRef{}) {
		return nil
	}
	return &OrderID{ref.Source, ref.ID}
}

// Entry is a ledger entry as the API shows it. Points are signed.
type Entry struct {
	ID          string     `json:"id"`
	Seq         int64      `json:"seq"`
	Type        string     `json:"type"`
	Points      int64      `json:"points"`
	Balance     int64      `json:"balance"` // the member's ledger balance after the entry
	At          time.Time  `json:"at"`
	Ref         string     `json:"ref"`
	Order       *OrderID   `json:"order,omitempty"`
	RuleVersion int64      `json:"rule_version,omitempty"`
	Lots        []LotShare `json:"lots"`
	Reason      string     `json:"reason,omitempty"`
	Prev        string     `json:"prev"`
	Hash        string     `json:"hash"`
}

// LotShare is the part of an entry that touched one lot.
type LotShare struct {
	Points    int64      `json:"points"`
	ExpiresAt *time.Time `json:"expires_at"` // null: never
}

// EntryOf shows a ledger entry.
func EntryOf(n table.Numbered) Entry {
	e := Entry{
		ID: EntryID(n.Member, n.Wallet, n.Seq), Seq: n.Seq, Type: n.Type.String(), Points: n.Points, Balance: n.Balance, At: Instant(n.At),
		Ref: n.Ref, Order: OrderOf(loyalty.OrderRef{Source: n.Source, ID: n.Order}), RuleVersion: n.Terms, Lots: []LotShare{}, Reason: n.Reason,
		Prev: hex.EncodeToString(n.Prev[:]), Hash: hex.EncodeToString(n.Hash[:]),
	}
	if e.Ref == "" && e.Order != nil {
		e.Ref = e.Order.Source + "/" + e.Order.ID
	}
	for _, p := range n.Lots {
		l := LotShare{Points: p.Points}
		if p.Expires != 0 {
			at := Instant(p.Expires)
			l.ExpiresAt = &at
		}
		e.Lots = append(e.Lots, l)
	}
	return e
}

// EntriesOf shows ledger entries.
func EntriesOf(list []table.Numbered) []Entry {
	out := make([]Entry, len(list))
	for i, n := range list {
		out[i] = EntryOf(n)
	}
	return out
}

// EntryID is a ledger entry's id: derived from whose it is, its number and,
// where it is not of points, its wallet, so ids of one ledger sort by time.
func EntryID(member, wallet string, seq int64) string {
	id := fmt.Sprintf("led_%s%010d", member, seq)
	if wallet != "" {
		id += "_" + wallet
	}
	return id
}

// ParseEntryID is the inverse of EntryID. The last answer is false for what is
// no such id.
func ParseEntryID(id string) (member, wallet string, seq int64, ok bool) {
	rest, ok := strings.CutPrefix(id, "led_")
	rest, wallet, _ = strings.Cut(rest, "_")
	const digits = 10
	if !ok || len(rest) <= digits {
		return "", "", 0, false
	}
	member = rest[:len(rest)-digits]
	seq, err := strconv.ParseInt(rest[len(rest)-digits:], 10, 64)
	return member, wallet, seq, err == nil && seq > 0 && EntryID(member, wallet, seq) == id
}

// Instant is a stored time as the API shows it.
func Instant(unix int64) time.Time { return time.Unix(unix, 0).UTC() }

// Cursor is an opaque place in a list.
func Cursor(n int64) string { return "c" + strconv.FormatInt(n, 36) }

// After reads the cursor parameter; 0 when absent.
func (r *Request) After() (int64, error) {
	s := r.URL.Query().Get("cursor")
	if s == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(strings.TrimPrefix(s, "c"), 36, 64)
	if err != nil || n < 1 || Cursor(n) != s {
		return 0, loyalty.Malformed("cursor", s, "is not a cursor that this list gave")
	}
	return n, nil
}

// Routes are a function's handlers by "METHOD /path".
type Routes map[string]http.Handler

// Mux serves the routes.
func (rs Routes) Mux() http.Handler {
	mux := http.NewServeMux()
	for pattern, h := range rs {
		mux.Handle(pattern, h)
	}
	return Straight(mux)
}

// Straight answers 404 to a path with empty or dotted parts, of which no id
// consists. A mux of net/http would answer with a page that leads elsewhere.
func Straight(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked := r.URL.EscapedPath()
		clean := path.Clean(asked)
		if strings.HasSuffix(asked, "/") && clean != "/" {
			clean += "/"
		}
		if clean != asked {
			problem(r.Context(), requestID(r), Nowhere(r)).send(w)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// Nowhere is the error for a path that nothing answers.
func Nowhere(r *http.Request) error {
	return &loyalty.Error{Kind: loyalty.Missing, Code: "not_found", Detail: "nothing answers " + r.Method + " " + strconv.Quote(r.URL.Path)}
}

// Voucher is a voucher as the API shows it.
type Voucher struct {
	Code      string     `json:"code"` // in groups of four, as people write it
	Member    string     `json:"member"`
	Reward    string     `json:"reward"`
	Goal      string     `json:"goal,omitempty"` // that gave it
	Status    string     `json:"status"`         // issued, used, withdrawn, expired
	IssuedAt  time.Time  `json:"issued_at"`
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
	Order     *OrderID   `json:"order,omitempty"` // that it was used in
}

// VoucherOf shows a voucher of the member who has it now.
func VoucherOf(v *loyalty.Voucher, member string, now time.Time) Voucher {
	out := Voucher{
		Code: v.Written(), Member: "mem_" + member, Reward: v.Reward, Goal: v.Goal,
		Status: string(v.StageAt(now)), IssuedAt: Instant(v.Issued), Order: OrderOf(v.Order),
	}
	if v.Until > 0 {
		at := Instant(v.Until)
		out.ExpiresAt = &at
	}
	return out
}
