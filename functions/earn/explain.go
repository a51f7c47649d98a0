package earn

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"regulars/shared/loyalty"
	"regulars/shared/program"
	"regulars/shared/table"
	"regulars/shared/web"
	"regulars/shared/words"
)

// Explanation is why a ledger entry is what it is, as data and in sentences.
type Explanation struct {
	Entry     web.Entry   `json:"entry"`
	Wallet    string      `json:"wallet"` // "points", or the id of a wallet, whose points are minor units
	Cause     words.Cause `json:"cause"`
	Language  string      `json:"language"`
	Direction string      `json:"direction"` // ltr or rtl
	Text      []string    `json:"text"`
	Worth     *Derivation `json:"worth,omitempty"`    // of an entry by which an order is worth more or less
	Activity  *Acted      `json:"activity,omitempty"` // that caused the entry
}

// Acted is an activity and what it gave.
type Acted struct {
	Type    string    `json:"type"`
	Key     string    `json:"key"`
	At      time.Time `json:"at"`
	Version int64     `json:"rule_version"`
	Awards  []Award   `json:"awards"`
}

// explain answers why an entry of a member's own ledger is what it is. It is
// here and not with the ledger because orders are valued here.
func (h *Handler) explain(ctx context.Context, r *web.Request) (web.Answer, error) {
	id, err := r.PathID("id", "mem_", "member")
	if err != nil {
		return web.Answer{}, err
	}
	member, wallet, seq, ok := web.ParseEntryID(r.PathValue("entry"))
	if !ok || member != id {
		return web.Answer{}, loyalty.NotFound("ledger entry")
	}
	var out web.Answer
	err = h.Gate.Store.View(ctx, r.Program, func(tx *table.Tx) error {
		a, err := tx.Account(id)
		if err != nil {
			return err
		}
		if wallet != "" {
			if !slices.Contains(a.Wallets, wallet) {
				return loyalty.NotFound("ledger entry")
			}
			if a, err = tx.WalletAccount(id, wallet); err != nil {
				return err
			}
		}
		if seq > a.Seq {
			return loyalty.NotFound("ledger entry")
		}
		e, err := tx.Entries(a, seq, 2)
		if err != nil {
			return err
		}
		x := explaining{tx: tx, account: a, entry: e[0]}
		out.Body, err = x.answer(r.URL.Query().Get("language"))
		return err
	})
	return out, err
}

// explaining is one entry and what is read to explain it.
type explaining struct {
	tx      *table.Tx
	account *loyalty.Account
	entry   table.Numbered
}

func (x *explaining) answer(language string) (*Explanation, error) {
	m := words.Movement{
		Entry: x.entry.Entry, Wallet: x.entry.Wallet,
		Away: x.entry.Type == loyalty.MergeInto && x.account.Into != "" && x.entry.Seq == x.account.Seq,
	}
	current, err := x.tx.TermsOfMember(x.account.Member)
	if err != nil {
		return nil, err
	}
	m.Zone = current.Zone
	v, err := x.version(current.Version)
	if err != nil {
		return nil, err
	}
	doc, err := program.Parse(v.Doc, nil)
	if err != nil {
		return nil, err
	}
	m.Document = &doc
	p, _, err := x.tx.Profile(x.account.Member)
	if err != nil {
		return nil, err
	}
	l := words.Choose(append([]string{language, p.Language}, doc.Languages...)...)
	out := &Explanation{Entry: web.EntryOf(x.entry), Wallet: x.entry.Wallet, Cause: words.CauseOf(&m.Entry), Language: l.Code, Direction: l.Direction}
	if out.Wallet == "" {
		out.Wallet = "points"
	}
	if out.Cause.Kind == words.ByOrder && (m.Type == loyalty.Earn || m.Type == loyalty.Clawback) {
		if err := x.worth(&m, out, l, current.Version); err != nil {
			return nil, err
		}
	}
	if out.Cause.Kind == words.ByActivity {
		if out.Activity, err = x.acted(out.Cause); err != nil {
			return nil, err
		}
	}
	if out.Cause.Kind == words.ByReferral {
		if err := x.referral(&m, strings.TrimPrefix(out.Cause.ID, "rfl_")); err != nil {
			return nil, err
		}
	}
	out.Text = l.Why(&m)
	return out, nil
}

// version is the one by which the entry was decided, or the one in force for
// what the clock decided.
func (x *explaining) version(current int64) (*table.Version, error) {
	if x.entry.Terms != 0 {
		return x.tx.Version(x.entry.Terms)
	}
	return x.tx.Version(current)
}

// referral is the one behind the entry, and which side of it the ledger is on;
// neither when it is gone. Who was merged is whoever has the points now.
func (x *explaining) referral(m *words.Movement, id string) error {
	r, err := x.tx.Referral(id)
	var none *loyalty.Error
	if errors.As(err, &none) {
		return nil
	} else if err != nil {
		return err
	}
	m.Referral, m.Side = r, words.SideOf(r, x.account.Member)
	if m.Side != "" || r.Friend == "" {
		return nil
	}
	var holders []string
	for _, member := range []string{x.account.Member, r.Advocate, r.Friend} {
		a, err := x.tx.Holder(member)
		if err != nil {
			return err
		}
		holders = append(holders, a.Member)
	}
	switch mine, advocate, friend := holders[0], holders[1], holders[2]; {
	case advocate == friend: // one person, who has both
	case mine == advocate:
		m.Side = words.AsAdvocate
	case mine == friend:
		m.Side = words.AsFriend
	}
	return nil
}

// acted is the activity behind the entry; nil when nothing is kept of it.
func (x *explaining) acted(c words.Cause) (*Acted, error) {
	act, err := x.tx.Act(c.ID, c.Key)
	if err != nil || act == nil {
		return nil, err
	}
	out := &Acted{Type: act.Activity.Type, Key: act.Activity.Key, At: act.Activity.At.UTC(), Version: act.Terms, Awards: []Award{}}
	for _, a := range act.Awards {
		shown := Award{Wallet: a.Wallet, Points: a.Points}
		if a.Wallet == "" {
			shown.Wallet = "points"
		}
		out.Awards = append(out.Awards, shown)
	}
	return out, nil
}
