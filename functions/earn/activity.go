package earn

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/go-json-experiment/json/jsontext"

	"regulars/shared/loyalty"
	"regulars/shared/table"
	"regulars/shared/web"
)

// activityRequest tells of something that a member did beside buying.
type activityRequest struct {
	Type   string                    `json:"type"`
	Key    string                    `json:"key"` // with Type the natural key
	Member string                    `json:"member"`
	At     *time.Time                `json:"at"`   // now when left out
	Data   map[string]jsontext.Value `json:"data"` // amount (minor units), store, and what else there is to say
}

// Rewarded is what became of an activity.
type Rewarded struct {
	Status   loyalty.Status `json:"status"`
	Reason   string         `json:"reason,omitempty"` // why it gave nothing
	Member   string         `json:"member"`
	Points   int64          `json:"points"` // of points; awards has them in every wallet
	Awards   []Award        `json:"awards"`
	Vouchers []string       `json:"vouchers"` // codes
	Entries  []web.Entry    `json:"entries"`
}

// Award is what was given in one wallet.
type Award struct {
	Wallet string `json:"wallet"` // "points", or the id of a wallet of the program
	Points int64  `json:"points"` // of a wallet other than points: minor units
}

func (q *activityRequest) activity() (loyalty.Activity, error) {
	act := loyalty.Activity{Type: q.Type, Key: q.Key}
	if !loyalty.ValidSource(q.Type) {
		return act, loyalty.Malformed("/type", q.Type, "a type of activity "+loyalty.SourceRule)
	}
	if !loyalty.ValidID(q.Key) {
		return act, loyalty.Malformed("/key", q.Key, loyalty.IDRule)
	}
	if q.Member == "" {
		return act, loyalty.Malformed("/member", "", "must name the member who did it")
	}
	if q.At != nil {
		if !countable(*q.At) {
			return act, loyalty.Malformed("/at", q.At.String(), "must be a time of the years 1970 to 9999")
		}
		act.At = *q.At
	}
	if len(q.Data) > 20 {
		return act, loyalty.Malformed("/data", "", "at most 20 values")
	}
	for _, name := range slices.Sorted(maps.Keys(q.Data)) {
		if err := tell(&act, name, q.Data[name]); err != nil {
			return act, err
		}
	}
	return act, nil
}

// countable tells whether a time can be counted with, as that of an order
// can: the first second of 1970 is how "never" is stored.
func countable(t time.Time) bool { return t.Unix() >= 1 && t.UTC().Year() <= 9999 }

// activity brings the table to what an activity is worth. Told again, it changes
// nothing.
func (h *Handler) activity(ctx context.Context, r *web.Request) (web.Answer, error) {
	var q activityRequest
	if err := r.Decode(&q); err != nil {
		return web.Answer{}, err
	}
	in, err := q.activity()
	if err != nil {
		return web.Answer{}, err
	}
	now, seed := h.Gate.Clock(), h.Gate.Seed()
	return h.Gate.Update(ctx, r, func(tx *table.Tx) (web.Answer, error) {
		act, err := tx.Act(in.Type, in.Key)
		if err != nil {
			return web.Answer{}, err
		}
		if act != nil {
			out, err := rewarded(tx, loyalty.Duplicate, act)
			return web.Answer{Body: out}, err
		}
		a, err := tx.HolderOf(q.Member)
		if err != nil {
			return web.Answer{}, err
		}
		t, err := tx.TermsOfMember(a.Member)
		if err != nil {
			return web.Answer{}, err
		}
		act = &loyalty.Act{Activity: in, Member: a.Member}
		if !t.Known(in.Type) {
			act.Reason = loyalty.NoRule
			out, err := rewarded(tx, loyalty.Ignored, act)
			return web.Answer{Body: out}, err
		}
		if err := reward(tx, a, act, seed, t, now); err != nil {
			return web.Answer{}, err
		}
		out, err := rewarded(tx, loyalty.Applied, act)
		return web.Answer{Body: out}, err
	})
}

// reward lets the member's account, other wallets and vouchers follow.
func reward(tx *table.Tx, a *loyalty.Account, act *loyalty.Act, seed string, t *loyalty.Terms, now time.Time) error {
	if t.Needs.Attributes {
		var err error
		if act.Facts.Attributes, err = tx.Attributes(a.Member); err != nil {
			return err
		}
	}
	vouchers, err := a.Do(act, seed, t, now)
	if err != nil {
		return err
	}
	for _, v := range vouchers {
		act.Vouchers = append(act.Vouchers, v.Written())
	}
	for _, award := range act.Awards {
		if award.Wallet == "" {
			continue
		}
		seq, err := tx.Credit(a, award, loyalty.Entry{Ref: act.Activity.ActRef(), At: now.Unix(), Terms: t.Version}, act.Activity.At)
		if err != nil {
			return err
		}
		act.Entries = append(act.Entries, loyalty.EntryRef{Seq: seq, Wallet: award.Wallet})
	}
	if err := tx.PutVouchers(vouchers, now); err != nil {
		return err
	}
	act.Activity.Data = nil // may be personal, and is not read again: an erasure would not find it here
	tx.PutAct(act)
	return tx.PutAccount(a)
}

// tell reads one value that was told of an activity.
func tell(act *loyalty.Activity, name string, raw jsontext.Value) error {
	path := "/data/" + name
	if !loyalty.ValidSource(name) {
		return loyalty.Malformed("/data", name, "a name "+loyalty.SourceRule)
	}
	var text string
	switch raw.Kind() {
	case '"':
		if err := json.Unmarshal(raw, &text); err != nil {
			return loyalty.Malformed(path, string(raw), "is not a text")
		}
	case '0', 't', 'f':
		text = string(raw)
	default:
		return loyalty.Malformed(path, string(raw), "must be a text, a number, true or false")
	}
	if len(text) > 200 || strings.IndexFunc(text, unicode.IsControl) >= 0 {
		return loyalty.Malformed(path, text, "must be at most 200 bytes of text")
	}
	switch name {
	case "amount":
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || raw.Kind() != '0' || n < 0 || n > loyalty.MaxPoints {
			return loyalty.Malformed(path, text, "must be minor units from 0")
		}
		act.Amount = n
	case "store":
		act.Store = text
	default:
		if act.Data == nil {
			act.Data = map[string]string{}
		}
		act.Data[name] = text
	}
	return nil
}

// rewarded tells what became of an activity.
func rewarded(tx *table.Tx, status loyalty.Status, act *loyalty.Act) (Rewarded, error) {
	out := Rewarded{Status: status, Reason: act.Reason, Awards: []Award{}, Vouchers: []string{}, Entries: []web.Entry{}}
	holder, err := tx.Holder(act.Member)
	if err != nil {
		return out, err
	}
	out.Member = "mem_" + holder.Member
	for _, a := range act.Awards {
		shown := Award{Wallet: a.Wallet, Points: a.Points}
		if a.Wallet == "" {
			shown.Wallet, out.Points = "points", a.Points
		}
		out.Awards = append(out.Awards, shown)
	}
	out.Vouchers = append(out.Vouchers, act.Vouchers...)
	entries, err := tx.EntriesOf(&loyalty.Record{Member: act.Member, Entries: act.Entries})
	out.Entries = web.EntriesOf(entries)
	return out, err
}
