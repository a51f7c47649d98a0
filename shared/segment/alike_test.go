package segment_test

import (
	"math"
	"testing"

	"regulars/shared/segment"
)

// Members who stop with nearly the same probability p: A and B grow without
// bound, as a fit to few members may have them, and what is expected comes to
// that of one p, [1 - (since / (since + p·t))^(r+x)] / p.
func TestMembersWhoStopAlike(t *testing.T) {
	const r, alpha, p = 1.04, 3.49, .29
	as := []float64{20, 49, 51, 100, 1e3, 1e4, 1e5, 4e7, 1e10}
	for _, age := range []float64{0, .3, 4, 60, 900} {
		for _, x := range []int64{0, 1, 5, 40, 400, 6000} {
			if float64(x) > 7*age {
				continue // on so many days she cannot have bought
			}
			for _, weeks := range []float64{0, .1, 4, 52} {
				since, far := alpha+age, math.Inf(1)
				want := (1 - math.Pow(since/(since+p*weeks), r+float64(x))) / p
				for _, a := range as {
					m := segment.BGNBD{R: r, Alpha: alpha, A: a, B: a/p - a}
					got := m.ExpectedOf(x, age, age, weeks) / m.Active(x, age, age)
					off := math.Abs(got - want)
					if !(off <= far+1e-7*want) || a >= 4e7 && off > 1e-3*want {
						t.Errorf("age %v, x %d, %v weeks, a = %g: expected %v, of one p %v", age, x, weeks, a, got, want)
					}
					far = off
				}
			}
			for _, a := range as {
				l := segment.NewLifetime(segment.BGNBD{R: r, Alpha: alpha, A: a, B: a/p - a}, segment.GammaGamma{P: 1.5, Q: 1e6, V: 1.8e10}, .1)
				if v := l.Of(&segment.Member{Days: x + 1, Last: int32(7 * age), Spent: 5000, FirstSpent: 500}, int32(7*age)); math.IsNaN(v.Days365) || v.Days365 < v.Days90 || v.Days90 < 0 {
					t.Errorf("age %v, x %d, a = %g: worth %+v", age, x, a, v)
				}
			}
		}
	}
}

// Both ways of writing what is expected come to the same where one goes over
// into the other.
func TestFormsOfTheExpectation(t *testing.T) {
	for _, b := range []float64{.5, 10, 90, 4000} {
		for _, x := range []int64{0, 3, 100} {
			for _, age := range []float64{15, 80} {
				m := segment.BGNBD{R: .6, Alpha: 5, A: 50, B: b}
				c, z := m.A+m.B+float64(x)-1, 26/(m.Alpha+age+26)
				want := c / (m.A - 1) * (1 - math.Pow(1-z, m.R+float64(x))*segment.Hyp2F1(m.R+float64(x), m.B+float64(x), c, z)) * m.Active(x, age, age)
				if got := m.ExpectedOf(x, age, age, 26); math.Abs(got-want) > 1e-9*want {
					t.Errorf("b %v, x %d, age %v: %v by the series, %v as the paper has it", b, x, age, got, want)
				}
			}
		}
	}
}
