package segment_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"regulars/shared/segment"
)

var (
	published = segment.BGNBD{R: .243, Alpha: 4.414, A: .793, B: 2.426}
	spending  = segment.GammaGamma{P: 6.25, Q: 3.74, V: 1544}
)

// The formula, step by step, from what the golden values hold.
func TestLifetimeIsTheFormula(t *testing.T) {
	m := segment.Member{ID: "a", First: 10_000, Last: 10_000 + 213, Days: 3, Spent: 7000, FirstSpent: 2500}
	today := int32(10_000 + 272)
	got := segment.NewLifetime(published, spending, .1).Of(&m, today)
	x, tx, age := int64(2), 213.0/7, 272.0/7
	mean := spending.Mean(2, 2250)
	var days90, days365, was float64
	for _, end := range []float64{30, 60, 90, 120, 150, 180, 210, 240, 270, 300, 330, 360, 365} {
		e := published.ExpectedOf(x, tx, age, end/7)
		days365 += mean * (e - was) * math.Pow(1.1, -end/365)
		if was = e; end == 90 {
			days90 = days365
		}
	}
	want := segment.Value{Active: published.Active(x, tx, age), Purchases: was, Days90: days90, Days365: days365}
	for name, v := range map[string][2]float64{"active": {got.Active, want.Active}, "purchases": {got.Purchases, want.Purchases}, "90": {got.Days90, want.Days90}, "365": {got.Days365, want.Days365}} {
		if math.Abs(v[0]/v[1]-1) > 1e-12 {
			t.Errorf("%s is %v, want %v", name, v[0], v[1])
		}
	}
	t.Logf("%+v", got)
	if plain := segment.NewLifetime(published, spending, 0).Of(&m, today); math.Abs(plain.Days365/(mean*was)-1) > 1e-12 {
		t.Errorf("without a discount: %v, want %v", plain.Days365, mean*was)
	}
	if none := segment.NewLifetime(published, spending, 0).Of(&segment.Member{}, today); none != (segment.Value{}) {
		t.Errorf("one who never bought: %+v", none)
	}
	// She has no mean of her own yet: that of all.
	once := segment.NewLifetime(published, spending, 0).Of(&segment.Member{First: 10_000, Last: 10_000, Days: 1, Spent: 99, FirstSpent: 99}, today)
	if want := 6.25 * 1544 / 2.74; math.Abs(once.Days365/once.Purchases-want) > 1e-9 || once.Active != 1 {
		t.Errorf("%+v, a purchase of %v", once, want)
	}
}

// Taken apart into what depends on the last purchase and what does not, a value is
// still that of the formula for each horizon by itself.
func TestAnOutlookIsTheFormula(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, p := anyBGNBD().Draw(t, "model"), anyPurchases().Draw(t, "member")
		yearly := rapid.Float64Range(0, .3).Draw(t, "yearly")
		var want segment.Outlook
		for _, end := range []float64{30, 60, 90, 120, 150, 180, 210, 240, 270, 300, 330, 360, 365} {
			e := m.ExpectedOf(p.X, p.T, p.T, end/7) / m.Active(p.X, p.T, p.T)
			want.Sum365 += (e - want.Purchases) * math.Pow(1+yearly, -end/365)
			if want.Purchases = e; end == 90 {
				want.Sum90 = want.Sum365
			}
		}
		got := segment.NewLifetime(m, spending, yearly).Outlook(p.X, p.T)
		if diff := cmp.Diff(want, got, cmpopts.EquateApprox(1e-12, 0)); diff != "" {
			t.Fatal(diff)
		}
	})
}

// Values are finite and not negative, less with a discount, more in a year than in 90 days.
func TestLifetimesAreSane(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := segment.Member{First: 1000, Days: rapid.Int64Range(1, 400).Draw(t, "days"), Spent: rapid.Int64Range(-1<<30, 1<<40).Draw(t, "spent")}
		m.FirstSpent = rapid.Int64Range(0, 1000).Draw(t, "first")
		m.Last = m.First + int32(m.Days) - 1
		today := m.Last + rapid.Int32Range(0, 900).Draw(t, "since")
		bg := anyBGNBD().Draw(t, "model")
		a, b := segment.NewLifetime(bg, spending, 0).Of(&m, today), segment.NewLifetime(bg, spending, .2).Of(&m, today)
		if !(b.Days90 >= 0 && b.Days90 <= b.Days365*(1+1e-9) && b.Days365 <= a.Days365*(1+1e-9) && a.Days365 < math.Inf(1)) {
			t.Fatalf("%+v %+v", a, b)
		}
	})
}

// Members who are alike count as many.
func TestHoldoutCountsMembers(t *testing.T) {
	one := segment.Held{Purchases: segment.Purchases{X: 9, Tx: 20, T: 30, N: 1}, Actual: 2}
	two := segment.Held{Purchases: segment.Purchases{X: 9, Tx: 20, T: 30, N: 2}, Actual: 4}
	single, double := segment.Holdout(published, []segment.Held{one, one}, 13)[7], segment.Holdout(published, []segment.Held{two}, 13)[7]
	if single != double || double.Members != 2 || double.Actual != 4 || double.Predicted != 2*published.ExpectedOf(9, 20, 30, 13) {
		t.Errorf("%+v %+v", single, double)
	}
}

// What a member's purchases are, as the models count them.
func TestMembersAsModelsSeeThem(t *testing.T) {
	m := segment.Member{First: 100, Last: 121, Days: 4, Spent: 900, FirstSpent: 300}
	if p, ok := m.Purchases(128); !ok || p != (segment.Purchases{X: 3, Tx: 3, T: 4, N: 1}) {
		t.Error(p, ok)
	}
	if p, ok := m.Purchases(120); !ok || p.T != 3 {
		t.Error("known before her last purchase: ", p, ok)
	}
	if s, ok := m.Spend(); !ok || s != (segment.Spend{X: 3, Mean: 200, N: 1}) {
		t.Error(s, ok)
	}
	m.Spent = 300
	if s, ok := m.Spend(); ok {
		t.Error("all that repeated came back: ", s)
	}
	if s, ok := (&segment.Member{Days: 1, Spent: 900}).Spend(); ok {
		t.Error("who has not repeated: ", s)
	}
}

func million() []segment.Purchases {
	return drawBGNBD(segment.BGNBD{R: .5, Alpha: 8, A: .8, B: 2.5}, 1_000_000, 3)
}

func BenchmarkFitMillion(b *testing.B) {
	rows := million()
	for b.Loop() {
		if fit, err := segment.FitBGNBD(rows); err != nil || !fit.Converged {
			b.Fatal(fit, err)
		}
	}
	b.ReportMetric(float64(len(segment.MergePurchases(rows))), "distinct")
}

func BenchmarkFitCDNOW(b *testing.B) {
	rows := cdnowRounded(b)
	for b.Loop() {
		if fit, err := segment.FitBGNBD(rows); err != nil || !fit.Converged {
			b.Fatal(fit, err)
		}
	}
}

// A member: whether she is active and what she buys in the next 90 days; then all of her
// value in steps.
func BenchmarkScore(b *testing.B) {
	members := make([]segment.Member, 4096)
	chance := rand.New(rand.NewPCG(5, 6))
	for i := range members {
		m := &members[i]
		m.First = 1000 + chance.Int32N(700)
		m.Days, m.Last = 1, m.First
		if chance.IntN(2) == 0 {
			m.Last += 1 + chance.Int32N(1731-m.First)
			m.Days += 1 + chance.Int64N(min(12, int64(m.Last-m.First)))
		}
		m.Spent, m.FirstSpent = m.Days*3000, 3000
	}
	b.Run("active and expected", func(b *testing.B) {
		i := 0
		for b.Loop() {
			p, _ := members[i&4095].Purchases(1731)
			published.ExpectedOf(p.X, p.Tx, p.T, 90.0/7)
			i++
		}
	})
	l := segment.NewLifetime(published, spending, .1)
	b.Run("lifetime", func(b *testing.B) {
		i := 0
		for b.Loop() {
			l.Of(&members[i&4095], 1731)
			i++
		}
	})
	thresholds := segment.DefaultRules().On(1731)
	b.Run("groups", func(b *testing.B) {
		i, active := 0, .4
		for b.Loop() {
			thresholds.Groups(&members[i&4095], &active)
			i++
		}
	})
}
