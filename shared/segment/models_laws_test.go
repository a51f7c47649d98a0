package segment_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"

	"regulars/shared/segment"
)

func anyBGNBD() *rapid.Generator[segment.BGNBD] {
	return rapid.Custom(func(t *rapid.T) segment.BGNBD {
		v := func(name string, low, high float64) float64 {
			return math.Exp(rapid.Float64Range(math.Log(low), math.Log(high)).Draw(t, name))
		}
		return segment.BGNBD{R: v("r", .05, 8), Alpha: v("alpha", .3, 60), A: v("a", .05, 5), B: v("b", .05, 20)}
	})
}

func anyPurchases() *rapid.Generator[segment.Purchases] {
	return rapid.Custom(func(t *rapid.T) segment.Purchases {
		days := rapid.IntRange(0, 600).Draw(t, "age")
		p := segment.Purchases{T: float64(days) / 7, N: rapid.Int64Range(1, 4).Draw(t, "n")}
		if days > 0 {
			last := rapid.IntRange(0, days).Draw(t, "last")
			p.X = rapid.Int64Range(min(1, int64(last)), int64(last)).Draw(t, "x")
			p.Tx = float64(last) / 7
		}
		return p
	})
}

func anyMembers(t *rapid.T) []segment.Purchases {
	return rapid.SliceOfN(anyPurchases(), 1, 20).Draw(t, "members")
}

// derivatives holds a surface's gradient and Hessian against central differences.
func derivatives(t *rapid.T, at []float64, surface func(p, gradient []float64, hessian *mat.SymDense) float64) {
	n := len(at)
	gradient, up, down := make([]float64, n), make([]float64, n), make([]float64, n)
	hessian := mat.NewSymDense(n, nil)
	value := surface(at, gradient, hessian)
	near := cmpopts.EquateApprox(2e-4, 1e-5*(1+math.Abs(value)))
	for i := range at {
		moved := append([]float64(nil), at...)
		h := 1e-5 * at[i]
		moved[i] = at[i] + h
		high := surface(moved, up, nil)
		moved[i] = at[i] - h
		low := surface(moved, down, nil)
		if got, want := gradient[i], (high-low)/(2*h); !cmp.Equal(got, want, near) {
			t.Fatalf("derivative %d at %v is %v, differences give %v", i, at, got, want)
		}
		for j := range at {
			if got, want := hessian.At(i, j), (up[j]-down[j])/(2*h); !cmp.Equal(got, want, cmpopts.EquateApprox(2e-4, 1e-5*(1+math.Abs(gradient[i])+math.Abs(gradient[j])))) {
				t.Fatalf("second derivative %d %d at %v is %v, differences give %v", i, j, at, got, want)
			}
		}
	}
}

func TestGradientsAreDerivatives(t *testing.T) {
	t.Run("BG/NBD", rapid.MakeCheck(func(t *rapid.T) {
		m, rows := anyBGNBD().Draw(t, "model"), segment.MergePurchases(anyMembers(t))
		derivatives(t, []float64{m.R, m.Alpha, m.A, m.B}, func(p, gradient []float64, hessian *mat.SymDense) float64 {
			return segment.BGNBD{R: p[0], Alpha: p[1], A: p[2], B: p[3]}.Surface(rows, gradient, hessian)
		})
	}))
	t.Run("Gamma-Gamma", rapid.MakeCheck(func(t *rapid.T) {
		rows := segment.MergeSpends(rapid.SliceOfN(rapid.Custom(func(t *rapid.T) segment.Spend {
			return segment.Spend{X: rapid.Int64Range(1, 30).Draw(t, "x"), Mean: rapid.Float64Range(1, 9000).Draw(t, "mean"), N: rapid.Int64Range(1, 4).Draw(t, "n")}
		}), 1, 20).Draw(t, "spends"))
		derivatives(t, []float64{rapid.Float64Range(.2, 12).Draw(t, "p"), rapid.Float64Range(.2, 12).Draw(t, "q"), rapid.Float64Range(1, 5000).Draw(t, "v")}, func(p, gradient []float64, hessian *mat.SymDense) float64 {
			return segment.GammaGamma{P: p[0], Q: p[1], V: p[2]}.Surface(rows, gradient, hessian)
		})
	}))
}

// Merging identical rows changes nothing of the likelihood, and what climbs is
// the sum of what LogLikelihood says of each member.
func TestMergedRowsAreAsLikely(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, few := anyBGNBD().Draw(t, "model"), anyMembers(t)
		rows := append(append([]segment.Purchases(nil), few...), few[:len(few)/2]...)
		var sum float64
		var members int64
		for _, p := range rows {
			sum += float64(p.N) * m.LogLikelihood(p)
			members += p.N
		}
		merged := segment.MergePurchases(rows)
		if len(merged) > len(few) {
			t.Fatalf("%d rows of %d", len(merged), len(few))
		}
		for _, p := range merged {
			members -= p.N
		}
		if got := m.Surface(merged, make([]float64, 4), nil); members != 0 || !cmp.Equal(got, sum, cmpopts.EquateApprox(1e-10, 1e-10)) {
			t.Fatalf("%v, want %v; members off by %d", got, sum, members)
		}
		half := len(rows) / 2
		sharded := segment.MergePurchases(append(segment.MergePurchases(rows[:half]), segment.MergePurchases(rows[half:])...))
		if d := cmp.Diff(merged, sharded); d != "" {
			t.Fatal("shards: ", d)
		}
	})
}

// The series is the paper's formula 10, wherever that can be computed.
func TestExpectedIsThePapersFormula(t *testing.T) {
	compared := 0
	rapid.Check(t, func(t *rapid.T) {
		m, p := anyBGNBD().Draw(t, "model"), anyPurchases().Draw(t, "member")
		weeks := rapid.Float64Range(.1, 200).Draw(t, "weeks")
		x := float64(p.X)
		c, age := m.A+m.B+x-1, m.Alpha+p.T
		if math.Abs(m.A-1) < .05 || math.Abs(c) < .05 {
			t.Skip("the formula has no digits there")
		}
		f := segment.Hyp2F1(m.R+x, m.B+x, c, weeks/(age+weeks))
		want := c / (m.A - 1) * (1 - math.Pow(age/(age+weeks), m.R+x)*f) * m.Active(p.X, p.Tx, p.T)
		if math.IsInf(f, 0) || math.IsNaN(want) {
			t.Skip("nor there")
		}
		compared++
		scale := math.Abs(c / (m.A - 1) * m.Active(p.X, p.Tx, p.T)) // of which the formula loses digits
		if got := m.ExpectedOf(p.X, p.Tx, p.T, weeks); math.Abs(got-want) > 1e-11*(want+scale) {
			t.Fatalf("%v, the formula gives %v", got, want)
		}
	})
	if compared == 0 {
		t.Error("nothing was compared")
	}
}

// The probabilities of all counts sum to one, and their mean is what is expected.
func TestProbabilitiesHaveTheExpectedMean(t *testing.T) {
	m := segment.BGNBD{R: 3, Alpha: 20, A: 2, B: 5}
	for _, weeks := range []float64{0, 1, 30} {
		var sum, mean float64
		for x := range int64(400) {
			p := m.Probability(x, weeks)
			sum += p
			mean += float64(x) * p
		}
		if got := m.Expected(weeks); math.Abs(sum-1) > 1e-12 || math.Abs(mean-got) > 1e-12 {
			t.Errorf("%v weeks: sum %v, mean %v, expected %v", weeks, sum, mean, got)
		}
	}
}

// Forecasts are numbers, for members no model was made for too: probabilities are in [0, 1],
// expectations grow with the horizon and not above the rate of now.
func TestForecastsAreStable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, p := anyBGNBD().Draw(t, "model"), anyPurchases().Draw(t, "member")
		m.A = rapid.SampledFrom([]float64{m.A, 1, 1 + 1e-9, 1 - 1e-14}).Draw(t, "a")
		if rapid.Bool().Draw(t, "c is 0") && m.A < 1 {
			m.B, p.X, p.Tx = 1-m.A, 0, 0
		}
		if p.X > 0 && rapid.Bool().Draw(t, "many") {
			p.X *= 150
		}
		active := m.Active(p.X, p.Tx, p.T)
		if !(active >= 0 && active <= 1) {
			t.Fatalf("active %v", active)
		}
		was := 0.0
		for _, weeks := range []float64{0, .01, 1, 13, 52, 520} {
			got := m.ExpectedOf(p.X, p.Tx, p.T, weeks)
			most := active * weeks * (m.R + float64(p.X)) / (m.Alpha + p.T)
			if !(got >= was*(1-1e-9) && got <= most*(1+1e-9)) {
				t.Fatalf("%v weeks: %v after %v, at most %v", weeks, got, was, most)
			}
			was = got
		}
	})
}

// near a = 1 and C = 0 nothing jumps.
func TestExpectedIsContinuous(t *testing.T) {
	for _, m := range []segment.BGNBD{{R: .3, Alpha: 5, A: 1, B: 2}, {R: .3, Alpha: 5, A: .4, B: .6}} {
		moved := m
		moved.A += 1e-10
		for _, weeks := range []float64{.5, 13, 400} {
			if a, b := m.Expected(weeks), moved.Expected(weeks); math.Abs(a/b-1) > 1e-9 {
				t.Errorf("%+v, %v weeks: %v beside %v", m, weeks, a, b)
			}
		}
	}
}

// drawBGNBD plays members as the model says that they are.
func drawBGNBD(m segment.BGNBD, n int, seed uint64) []segment.Purchases {
	chance := rand.New(rand.NewPCG(seed, 1))
	gamma := func(shape float64) float64 { // Marsaglia and Tsang 2000
		boost := 1.0
		if shape < 1 {
			boost = math.Pow(chance.Float64(), 1/shape)
			shape++
		}
		for d := shape - 1.0/3; ; {
			x := chance.NormFloat64()
			v := math.Pow(1+x/math.Sqrt(9*d), 3)
			if v > 0 && math.Log(chance.Float64()) < x*x/2+d-d*v+d*math.Log(v) {
				return d * v * boost
			}
		}
	}
	rows := make([]segment.Purchases, n)
	for i := range rows {
		rate, g := gamma(m.R)/m.Alpha, gamma(m.A)
		stop := g / (g + gamma(m.B))
		days := 30 + chance.IntN(700)
		p := segment.Purchases{T: float64(days) / 7, N: 1}
		for at, last := 0.0, 0; ; {
			at += chance.ExpFloat64() / rate * 7
			if at > float64(days) {
				break
			}
			if d := int(math.Ceil(at)); d != last { // one purchase a day
				p.X++
				p.Tx = float64(d) / 7
				last = d
			}
			if chance.Float64() < stop {
				break
			}
		}
		rows[i] = p
	}
	return rows
}

// A fit finds the parameters that the members were drawn with, within four standard errors.
func TestFitFindsWhatItWasDrawnWith(t *testing.T) {
	want := segment.BGNBD{R: 1.2, Alpha: 14, A: .8, B: 3.5}
	fit, err := segment.FitBGNBD(drawBGNBD(want, 20_000, 7))
	if err != nil || !fit.Converged {
		t.Fatalf("%+v %v", fit, err)
	}
	for name, p := range map[string][3]float64{
		"r": {fit.Model.R, want.R, fit.Errors.R}, "alpha": {fit.Model.Alpha, want.Alpha, fit.Errors.Alpha},
		"a": {fit.Model.A, want.A, fit.Errors.A}, "b": {fit.Model.B, want.B, fit.Errors.B},
	} {
		if !(math.Abs(p[0]-p[1]) < 4*p[2]) || p[2] > p[1]/10 {
			t.Errorf("%s is %v +- %v, drawn with %v", name, p[0], p[2], p[1])
		}
	}
}

func TestFitsThatCannotBe(t *testing.T) {
	if fit, err := segment.FitBGNBD([]segment.Purchases{{X: 2, Tx: 3, T: 9, N: 49}, {T: 9, N: 5000}}); !errors.Is(err, segment.ErrTooFew) {
		t.Error(fit, err)
	}
	if fit, err := segment.FitGammaGamma(nil); !errors.Is(err, segment.ErrTooFew) {
		t.Error(fit, err)
	}
	for _, p := range []segment.Purchases{{X: 1, Tx: 10, T: 9, N: 1}, {X: -1, T: 9, N: 1}, {X: 1, Tx: 1, T: math.NaN(), N: 1}, {X: 0, Tx: 1, T: 9, N: 1}, {X: 1, T: 9, N: 1}, {T: 9}, {T: math.Inf(1), N: 1}} {
		if fit, err := segment.FitBGNBD([]segment.Purchases{p}); !errors.Is(err, segment.ErrPurchases) {
			t.Error(p, fit, err)
		}
	}
	for _, s := range []segment.Spend{{X: 0, Mean: 10, N: 1}, {X: 1, N: 1}, {X: 1, Mean: math.NaN(), N: 1}, {X: 1, Mean: 1}} {
		if fit, err := segment.FitGammaGamma([]segment.Spend{s}); !errors.Is(err, segment.ErrPurchases) {
			t.Error(s, fit, err)
		}
	}
	// All alike: there is no difference between members to find the parameters from.
	fit, err := segment.FitBGNBD([]segment.Purchases{{X: 3, Tx: 20, T: 30, N: 100}})
	if err != nil || fit.Converged || fit.Reason == "" {
		t.Errorf("%+v %v", fit, err)
	}
	same, err := segment.FitGammaGamma([]segment.Spend{{X: 3, Mean: 20, N: 100}})
	if err != nil || same.Converged || same.Reason == "" {
		t.Errorf("%+v %v", same, err)
	}
	t.Log(fit.Reason, "; ", same.Reason)
	// The means have a tail so long that they have no mean.
	var wild []segment.Spend
	for i := range 2000 {
		wild = append(wild, segment.Spend{X: 4, Mean: 10 * math.Pow((float64(i)+.5)/2000, -1.6), N: 1})
	}
	if fit, err := segment.FitGammaGamma(wild); err != nil || fit.Converged || fit.Model.Q > 1 || fit.Reason == "" {
		t.Errorf("%+v %v", fit, err)
	}
}
