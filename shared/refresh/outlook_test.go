package refresh

import (
	"testing"

	"pgregory.net/rapid"

	"regulars/shared/segment"
)

// A member is worth what the models say of her alone, whether the merge has seen
// purchases like hers or not.
func TestARowIsWorthWhatItsMemberIs(t *testing.T) {
	const today = 20500
	rapid.Check(t, func(t *rapid.T) {
		s := &State{Cuts: Cuts{Today: today, Yearly: .1, Models: Models{
			Buying:   &segment.BGNBD{R: .243, Alpha: 4.414, A: .793, B: 2.426},
			Spending: &segment.GammaGamma{P: 6.25, Q: 3.74, V: 1544},
		}}}
		var rows []row
		var bought []segment.Purchases
		for range rapid.IntRange(0, 30).Draw(t, "members") {
			m := segment.Member{First: rapid.Int32Range(today-900, today+2).Draw(t, "first"), Days: 1}
			m.Last = m.First
			if m.First < today && rapid.Bool().Draw(t, "again") {
				m.Last = rapid.Int32Range(m.First+1, today).Draw(t, "last")
				m.Days += rapid.Int64Range(1, int64(m.Last-m.First)).Draw(t, "days")
			}
			m.Spent, m.FirstSpent = m.Days*3000, 2000
			rows = append(rows, row{m: m})
			if p, _ := m.Purchases(today); rapid.Bool().Draw(t, "known") {
				bought = append(bought, p)
			}
		}
		l := s.Cuts.lifetime()
		j, err := newJudge(s, &Plan{Today: today}, nil, newOutlooks(segment.MergePurchases(bought), l))
		if err != nil {
			t.Fatal(err)
		}
		for i := range rows {
			v, want := j.of(&rows[i]), l.Of(&rows[i].m, today)
			if v.active != want.Active || v.worth != want.Days365 {
				t.Fatalf("%+v is worth %v and active by %v, want %+v", rows[i].m, v.worth, v.active, want)
			}
		}
	})
}
