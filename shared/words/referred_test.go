package words

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"regulars/shared/loyalty"
	"regulars/shared/program"
)

// sent is a referral that counts as the third, of a friend whose data nobody
// but the friend may read.
func sent() *loyalty.Referral {
	return &loyalty.Referral{
		ID: "X", Advocate: "ANNA", Friend: "BEN", Code: "ANNA-10", Clicked: at.Unix(), Closes: at.AddDate(0, 0, 30).Unix(),
		Order: loyalty.OrderRef{Source: "till", ID: "SECRET-7"}, Paid: at.AddDate(0, 0, 2).Unix(), Left: 4567, Minimum: 3000, Until: at.AddDate(0, 0, 16).Unix(),
		Rank: 3, ToAdv: loyalty.Side{Due: 150, Reward: "free-coffee"}, ToFri: loyalty.Side{Due: 50, Reward: "mug"},
	}
}

// turned is a referral of which something is otherwise.
func turned(other func(r *loyalty.Referral)) *loyalty.Referral {
	r := sent()
	other(r)
	return r
}

func waiting(r *loyalty.Referral) { r.Rank, r.ToAdv, r.ToFri = 0, loyalty.Side{}, loyalty.Side{} }

func unbought(r *loyalty.Referral) {
	waiting(r)
	r.Order, r.Paid, r.Left, r.Minimum, r.Until = loyalty.OrderRef{}, 0, 0, 0, 0
}

func reasoned(reasons ...string) func(r *loyalty.Referral) {
	return func(r *loyalty.Referral) {
		unbought(r)
		r.Reasons = reasons
	}
}

// standings are all the stages, each with all that leads to it.
var standings = []struct {
	name string
	*loyalty.Referral
	days int // after the click
}{
	{"registered", turned(unbought), 1},
	{"pending", turned(waiting), 3},
	{"pending, the hold is over", turned(waiting), 16},
	{"qualified", sent(), 20},
	{"qualified, below the ladder", turned(func(r *loyalty.Referral) { r.ToAdv, r.ToFri.Reward = loyalty.Side{}, "" }), 20},
	{"qualified, over the limit", turned(func(r *loyalty.Referral) { r.ToAdv.Due, r.ToAdv.Reward, r.Trimmed = 0, "", loyalty.OverLimit }), 20},
	{"qualified, over the budget", turned(func(r *loyalty.Referral) { r.ToAdv.Due, r.ToFri.Due, r.Trimmed = 0, 10, loyalty.OverBudget }), 20},
	{"refunded", turned(func(r *loyalty.Referral) { r.Left = 1200 }), 40},
	{"refunded in the hold", turned(func(r *loyalty.Referral) { waiting(r); r.Left = 0 }), 5},
	{"window over", turned(unbought), 31},
	{"later click", turned(reasoned(loyalty.LaterClick)), 3},
	{"one friend", turned(reasoned(loyalty.OneFriend)), 3},
	{"blocked", turned(reasoned(loyalty.SelfReferral, loyalty.Cycle, loyalty.ExistingCustomer)), 3},
	{"rejected", turned(reasoned(loyalty.VelocityIP, loyalty.Rejected)), 3},
	{"one person after a merge", turned(func(r *loyalty.Referral) { r.Reasons = []string{loyalty.SelfReferral} }), 40},
	{"review", turned(reasoned(loyalty.SameHousehold, loyalty.DisposableEmail, loyalty.VelocityIP, loyalty.VelocityAdvocate)), 3},
}

// Every stage, to those of the shop and to the member who recommended.
func TestGoldenReferrals(t *testing.T) {
	d := document(t, rich(t))
	zone := time.FixedZone("", 2*60*60)
	for _, code := range tongues {
		var b strings.Builder
		first := map[string]string{}
		for _, s := range standings {
			for _, forMember := range []bool{false, true} {
				said := (&Standing{Referral: s.Referral, Document: d, Zone: zone, Now: at.AddDate(0, 0, s.days), ForMember: forMember}).In(Choose(code))
				fmt.Fprintf(&b, "== %s%s\n", s.name, either(forMember, ", for the member", ""))
				for _, x := range said {
					sane(t, code, x)
					fmt.Fprintln(&b, x)
				}
				if all := strings.Join(said, "\n"); !forMember {
					if other := first[all]; other != "" {
						t.Errorf("%s: %s and %s are both %q", code, s.name, other, all)
					}
					first[all] = s.name
				}
			}
		}
		golden(t, "referrals."+code+".txt", b.String())
	}
}

// The member who recommended reads nothing that is the friend's, and nothing
// that tells how friends are looked at.
func TestMembersReadNothingOfTheirFriends(t *testing.T) {
	d := document(t, rich(t))
	reasons := []string{
		loyalty.SelfReferral, loyalty.Cycle, loyalty.ExistingCustomer, loyalty.SameHousehold, loyalty.DisposableEmail,
		loyalty.VelocityIP, loyalty.VelocityAdvocate, loyalty.Rejected,
	}
	for _, code := range tongues {
		l := Choose(code)
		hidden := []string{"SECRET-7", "BEN", l.money(4567, d.Currency), l.money(1200, d.Currency)}
		for _, r := range reasons {
			hidden = append(hidden, l.say("reason."+r))
		}
		told := map[string]bool{}
		for _, s := range standings {
			for _, forMember := range []bool{false, true} {
				said := (&Standing{Referral: s.Referral, Document: d, Zone: time.UTC, Now: at.AddDate(0, 0, s.days), ForMember: forMember}).In(l)
				for _, h := range hidden {
					if !strings.Contains(strings.Join(said, "\n"), h) {
						continue
					}
					told[h] = true
					if forMember {
						t.Errorf("%s: %s: members read %q", code, s.name, h)
					}
				}
			}
		}
		for _, r := range reasons { // the shop reads all of them
			if s := l.say("reason." + r); !told[s] || strings.HasPrefix(s, "reason.") {
				t.Errorf("%s: nobody reads %s", code, r)
			}
		}
	}
}

// moves are the entries by which a referral moves points.
func moves(d *program.Document) []Movement {
	note := func(stage loyalty.ReferralStage, why ...string) func(r *loyalty.Referral) {
		return func(r *loyalty.Referral) {
			r.Notes = []loyalty.Note{{At: at.Unix() - 9, Stage: loyalty.Qualified}, {At: at.Unix(), Stage: stage, Reasons: why}, {At: at.Unix() + 9, Stage: loyalty.Blocked, Reasons: []string{loyalty.Rejected}}}
		}
	}
	less := turned(func(r *loyalty.Referral) { r.ToAdv.Due, r.Trimmed = 40, loyalty.OverBudget })
	given := loyalty.Entry{Type: loyalty.Refer, Points: 150, Ref: "rfl_X"}
	taken := loyalty.Entry{Type: loyalty.Clawback, Points: -150, Ref: "rfl_X", Reason: loyalty.ExpiredBefore}
	list := []Movement{
		{Entry: given},
		{Entry: given, Referral: sent(), Side: AsAdvocate},
		{Entry: given, Referral: less, Side: AsAdvocate},
		{Entry: given, Referral: less, Side: AsFriend},
		{Entry: given, Referral: turned(func(r *loyalty.Referral) { r.ToFri.Due, r.Trimmed = 5, loyalty.OverBudget }), Side: AsFriend},
		{Entry: taken},
		{Entry: taken, Referral: turned(note(loyalty.CancelledStage, loyalty.Refunded))},
		{Entry: taken, Referral: turned(note(loyalty.CancelledStage, loyalty.Refunded)), Side: AsAdvocate},
		{Entry: taken, Referral: turned(note(loyalty.CancelledStage, loyalty.Refunded)), Side: AsFriend},
		{Entry: taken, Referral: turned(note(loyalty.Blocked, loyalty.SelfReferral)), Side: AsAdvocate},
		{Entry: taken, Referral: turned(note(loyalty.Blocked, loyalty.ExistingCustomer)), Side: AsAdvocate},
	}
	for i := range list {
		m := &list[i]
		m.At, m.Zone, m.Document = at.Unix(), time.UTC, d
	}
	return list
}

// Why a referral moved points, to both of its sides.
func TestGoldenReferralEntries(t *testing.T) {
	d := document(t, rich(t))
	var b strings.Builder
	for _, code := range tongues {
		for _, m := range moves(d) {
			if got, want := CauseOf(&m.Entry), (Cause{Kind: ByReferral, ID: "rfl_X"}); got != want {
				t.Errorf("%v, want %v", got, want)
			}
			for _, s := range Choose(code).Why(&m) {
				sane(t, code, s)
				fmt.Fprintln(&b, s)
				if m.Side != AsFriend && strings.Contains(s, "SECRET-7") || strings.Contains(s, "BEN") || strings.Contains(s, "ANNA") {
					t.Errorf("%s: %q tells of the other", code, s)
				}
			}
			fmt.Fprintln(&b)
		}
	}
	golden(t, "referred.txt", b.String())
}

func TestSides(t *testing.T) {
	for _, c := range []struct {
		advocate, friend, member string
		want                     Side
	}{
		{"ANNA", "BEN", "ANNA", AsAdvocate},
		{"ANNA", "BEN", "BEN", AsFriend},
		{"ANNA", "ANNA", "ANNA", AsAdvocate}, // joined
		{"ANNA", "ANNA", "BEN", ""},
		{"ANNA", "", "BEN", ""},
	} {
		if got := SideOf(&loyalty.Referral{Advocate: c.advocate, Friend: c.friend}, c.member); got != c.want {
			t.Errorf("%v: %q", c, got)
		}
	}
}

// A ladder is said so that each friend finds their rung.
func TestLadders(t *testing.T) {
	for _, c := range []struct {
		ladder string
		want   []string
	}{
		{`[{"points": 5}]`, []string{"For each friend the member gets 5 points."}},
		{`[{"rank": 1, "reward": "mug"}]`, []string{"For each friend the member gets a voucher for mug."}},
		{`[{"rank": 5, "points": 5}]`, []string{"From friend number 5 on, the member gets 5 points for each."}},
		{`[{"rank": 1, "points": 5}, {"rank": 2, "points": 6}]`, []string{
			"For friend number 1 the member gets 5 points.", "From friend number 2 on, the member gets 6 points for each.",
		}},
		{`[{"points": 5}, {"revenue": 10000, "points": 6}, {"revenue": 20000, "points": 6}]`, []string{
			"For each friend the member gets 5 points.",
			"When the orders that count for all of a member's friends, that of the newest included, come to ₪100.00 or more together, the member gets 6 points for each friend.",
			"When the orders that count for all of a member's friends, that of the newest included, come to ₪200.00 or more together, the member gets 6 points for each friend.",
			"Of these amounts, only the highest that was reached counts.",
		}},
	} {
		for _, code := range tongues {
			d, err := program.Parse([]byte(`{"rewards": [{"id": "mug"}], "referral": {"advocate": `+c.ladder+`}}`), nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := d.Compile(1, nil); err != nil {
				t.Errorf("%s: %v", c.ladder, err)
			}
			var said []string
			for _, s := range Choose(code).Terms(&d) {
				for _, x := range s.Sentences {
					if strings.HasPrefix(x.Path, "/referral/advocate") {
						sane(t, code, x.Text)
						said = append(said, shown(x.Text))
					}
				}
			}
			if len(slices.Compact(slices.Sorted(slices.Values(said)))) != len(c.want) || code == "en" && !slices.Equal(said, c.want) {
				t.Errorf("%s: %s: %q", code, c.ladder, said)
			}
		}
	}
}

// Who was promised nothing more did not get less, whatever was trimmed.
func TestLessThanPromised(t *testing.T) {
	points, voucher := program.Rung{Rank: 2, Gift: program.Gift{Points: 100}}, program.Rung{Rank: 3, Gift: program.Gift{Reward: "mug"}}
	for _, c := range []struct {
		name    string
		rank    int64
		trimmed string
		got     loyalty.Side
		ladder  []program.Rung
		want    bool
	}{
		{"all of the points", 2, "", loyalty.Side{Due: 100}, []program.Rung{points, voucher}, false},
		{"some of the points", 2, loyalty.OverBudget, loyalty.Side{Due: 40}, []program.Rung{points, voucher}, true},
		{"below the ladder, the friend got less", 1, loyalty.OverBudget, loyalty.Side{}, []program.Rung{points, voucher}, false},
		{"a voucher, the friend got less", 3, loyalty.OverBudget, loyalty.Side{Reward: "mug"}, []program.Rung{points, voucher}, false},
		{"no voucher", 4, loyalty.OverLimit, loyalty.Side{}, []program.Rung{points, voucher}, true},
		{"by revenue", 4, loyalty.OverLimit, loyalty.Side{Due: 40}, []program.Rung{{Revenue: 1, Gift: points.Gift}}, true},
	} {
		w := writer{d: &program.Document{Referral: &program.Referral{Advocate: c.ladder}}}
		if got := w.lessForAdvocate(&loyalty.Referral{Rank: c.rank, Trimmed: c.trimmed, ToAdv: c.got}); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}
