package reports

import (
	"net/http/httptest"
	"testing"

	"pgregory.net/rapid"

	"regulars/shared/loyalty"
	"regulars/shared/segment"
	"regulars/shared/web"
)

// No text of a merchant or a member is a formula in a spreadsheet.
func TestNoTextIsAFormula(t *testing.T) {
	below := int64(-5)
	s := sheet{{"name", "points"}}
	for _, text := range []string{"=1+1", "+cmd", "-1+1", "@SUM(A1)", "\t=1", "-12.50", "לקוחות", "a,\"b\""} {
		s.row(text, below)
	}
	s.row(nil, (*int64)(nil))
	s.row("x", &below)
	want := "name,points\n'=1+1,-5\n'+cmd,-5\n'-1+1,-5\n'@SUM(A1),-5\n'\t=1,-5\n-12.50,-5\nלקוחות,-5\n\"a,\"\"b\"\"\",-5\n,\nx,-5\n"
	if got := string(s.csv()); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestDecimals(t *testing.T) {
	for text, want := range map[string]int64{"0": 0, "1": millionth, "0.8": 800_000, "0.000001": 1, "63.70": 63_700_000} {
		if n, ok := decimal(text); !ok || n != want {
			t.Errorf("%s is %d %v", text, n, ok)
		}
	}
	for _, text := range []string{"", ".5", "1.", "-1", "1e3", "0.0000001", "٠", "1,0", "9999999999"} {
		if n, ok := decimal(text); ok {
			t.Errorf("%q is %d", text, n)
		}
	}
	for n, want := range map[int64]string{0: "0", 800_000: "0.8", millionth: "1", 1: "0.000001", 10 * millionth: "10"} {
		if got := written(n); got != want {
			t.Errorf("%d is %s, want %s", n, got, want)
		}
	}
}

// What points cost is what package segment says of them, where one point has a
// price; SC15 (b) is one of these.
func TestMoney(t *testing.T) {
	price := func(points, amount int64) *loyalty.Terms {
		return &loyalty.Terms{Point: loyalty.Price{Points: points, Amount: amount}}
	}
	for _, c := range []struct{ points, part, want int64 }{{12_000, 800_000, 480_00}, {15_000, 800_000, 600_00}, {-7, millionth, 0}} {
		if got, err := money(price(1, 5), c.points, c.part); err != nil || got != c.want {
			t.Errorf("%+v: %d %v", c, got, err)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		points, amount, part := rapid.Int64Range(0, 1<<40).Draw(t, "points"), rapid.Int64Range(1, 1000).Draw(t, "amount"), rapid.Int64Range(0, millionth).Draw(t, "part")
		want, err := segment.Liability(points, amount, segment.Ratio{Num: part, Den: millionth})
		if got, err2 := money(price(1, amount), points, part); err != nil || err2 != nil || got != want {
			t.Fatalf("%d, want %d: %v %v", got, want, err, err2)
		}
		if got, err := money(price(1000, 1000*amount), points, part); err != nil || got != want {
			t.Fatalf("a thousand points for a thousand times as much: %d, want %d: %v", got, want, err)
		}
	})
}

// With no lot that ended nothing is known of breakage; what ended says the rest.
func TestExpectedRedemption(t *testing.T) {
	q := &query{Request: request(t, "/")}
	m := &moved{}
	for _, c := range []struct {
		ended map[string]loyalty.Ended
		url   string
		part  int64
		basis string
	}{
		{nil, "/", millionth, "none"},
		{map[string]loyalty.Ended{"2026-01": {Spent: 60, Expired: 20}, "2026-02": {Spent: 15, Expired: 5}}, "/", 750_000, "ended_lots"},
		{map[string]loyalty.Ended{"2026-01": {Spent: -5, Expired: 20}}, "/", 0, "ended_lots"},
		{map[string]loyalty.Ended{"2026-01": {Spent: 60, Expired: 20}}, "/?expected_redemption=0.8", 800_000, "asked"},
	} {
		m.ended, q.Request = c.ended, request(t, c.url)
		if part, basis, err := m.expected(q); err != nil || part != c.part || basis != c.basis {
			t.Errorf("%+v: %d %s %v", c, part, basis, err)
		}
	}
}

func request(t *testing.T, url string) *web.Request {
	t.Helper()
	return &web.Request{Request: httptest.NewRequest("GET", url, nil)}
}
