package refer

import (
	"cmp"
	"slices"
	"time"

	"regulars/shared/loyalty"
	"regulars/shared/program"
	"regulars/shared/referrals"
	"regulars/shared/table"
	"regulars/shared/web"
	"regulars/shared/words"
)

// Shape is a referral as the API shows it.
type Shape struct {
	ID          string       `json:"id"`
	Status      string       `json:"status"`
	Reasons     []string     `json:"reasons"` // why it is blocked, under review or cancelled
	Advocate    string       `json:"advocate"`
	Friend      *string      `json:"friend"` // null: nobody known yet
	Code        string       `json:"code"`
	Way         string       `json:"way"` // click, order, people
	Staff       string       `json:"staff,omitempty"`
	ClickedAt   time.Time    `json:"clicked_at"`
	CreatedAt   time.Time    `json:"created_at"`
	Order       *web.OrderID `json:"order"` // that counts for it; null: none yet
	PaidAt      *time.Time   `json:"paid_at"`
	QualifiesAt *time.Time   `json:"qualifies_at"` // when it is safe
	Rank        int64        `json:"rank"`         // 0: none yet
	Points      SidesShape   `json:"points"`
	Vouchers    []string     `json:"vouchers"`
	Trimmed     string       `json:"trimmed,omitempty"` // limit or budget: the rewards are smaller for it
	History     []NoteShape  `json:"history"`
	Explanation []string     `json:"explanation"` // the same in sentences
}

// SidesShape is what both have of it now, in points.
type SidesShape struct {
	Advocate int64 `json:"advocate"`
	Friend   int64 `json:"friend"`
}

// NoteShape is one change of status.
type NoteShape struct {
	At      time.Time `json:"at"`
	Status  string    `json:"status"`
	Reasons []string  `json:"reasons"`
}

// showing shows referrals to one caller: in one language, and to a member who
// brought the friends neither who they are nor what looks suspicious.
type showing struct {
	tx        *table.Tx
	now       time.Time
	wishes    []string // languages, first choice first, before those of the program
	discreet  bool
	documents map[int64]*program.Document // by version
}

// showing is for the caller of a request; languages are what is spoken when
// the caller does not say.
func (h *Handler) showing(tx *table.Tx, r *web.Request, languages ...string) *showing {
	return &showing{
		tx: tx, now: h.Gate.Clock(), wishes: append([]string{r.URL.Query().Get("language")}, languages...), discreet: r.Scope == web.Member,
		documents: map[int64]*program.Document{},
	}
}

// shape shows a referral as it is now: what the friend's account says is told
// also before the stream has brought it here.
func (w *showing) shape(ref *loyalty.Referral) (Shape, error) {
	advocate, err := w.tx.Holder(ref.Advocate)
	if err != nil {
		return Shape{}, err
	}
	var friend *string
	if ref.Friend != "" {
		a, err := referrals.Catch(w.tx, ref, advocate)
		if err != nil {
			return Shape{}, err
		}
		id := "mem_" + a.Member
		friend = &id
	}
	stage, why := ref.StageAt(w.now)
	s := Shape{
		ID: ref.Ref(), Status: string(stage), Reasons: plain(why), Advocate: "mem_" + advocate.Member, Friend: friend, Code: ref.Code, Way: string(ref.Way), Staff: ref.By,
		ClickedAt: web.Instant(ref.Clicked), CreatedAt: web.Instant(ref.Made), Order: web.OrderOf(ref.Order), Rank: ref.Rank,
		Points: SidesShape{ref.ToAdv.Points, ref.ToFri.Points}, Vouchers: []string{}, Trimmed: ref.Trimmed, History: []NoteShape{},
	}
	if ref.Order != (loyalty.OrderRef{}) {
		paid, safe := web.Instant(ref.Paid), web.Instant(ref.Until)
		s.PaidAt, s.QualifiesAt = &paid, &safe
	}
	for _, n := range ref.Notes {
		s.History = append(s.History, NoteShape{web.Instant(n.At), string(n.Stage), plain(n.Reasons)})
	}
	for _, side := range []loyalty.Side{ref.ToAdv, ref.ToFri} {
		if side.Voucher != "" {
			s.Vouchers = append(s.Vouchers, (&loyalty.Voucher{Code: side.Voucher}).Written())
		}
	}
	if w.discreet {
		s.Friend, s.Order, s.PaidAt, s.Staff, s.Reasons, s.Vouchers, s.History, s.Points.Friend = nil, nil, nil, "", []string{}, []string{}, []NoteShape{}, 0
	}
	s.Explanation, err = w.explain(ref, advocate)
	return s, err
}

// explain tells how far a referral has come by the rules that it goes by: its
// order's, or those in force for the advocate while there is none.
func (w *showing) explain(ref *loyalty.Referral, advocate *loyalty.Account) ([]string, error) {
	current, err := w.tx.TermsOfMember(advocate.Member)
	if err != nil {
		return nil, err
	}
	spoken, err := w.document(current.Version)
	if err != nil {
		return nil, err
	}
	its, err := w.document(cmp.Or(ref.Terms, current.Version))
	if err != nil {
		return nil, err
	}
	l := words.Choose(slices.Concat(w.wishes, spoken.Languages)...)
	return (&words.Standing{Referral: ref, Document: its, Zone: current.Zone, Now: w.now, ForMember: w.discreet}).In(l), nil
}

func (w *showing) document(version int64) (*program.Document, error) {
	if d := w.documents[version]; d != nil {
		return d, nil
	}
	v, err := w.tx.Version(version)
	if err != nil {
		return nil, err
	}
	d, err := program.Parse(v.Doc, nil)
	w.documents[version] = &d
	return &d, err
}

func plain(why []string) []string {
	if why == nil {
		return []string{}
	}
	return why
}
