package chart_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"regulars/shared/chart"
)

var update = flag.Bool("update", false, "write the golden pictures anew")

type drawn interface{ SVG() []byte }

var months = []string{"2026-06", "2026-07", "2026-08", "2026-09", "2026-10", "2026-11"}

var pictures = map[string]drawn{
	"bars": chart.Bars{
		Frame:  chart.Frame{Title: "Revenue by segment", About: "Spend of the last twelve months, by segment, as of 28 November 2026", X: "segment", Y: "ILS", Decimals: 2},
		Labels: []string{"regular heavy", "regular light", "infrequent heavy", "infrequent light", "former", "לקוחות VIP"},
		Series: []chart.Series{{Values: []int64{8_410_000, 2_120_050, 3_300_000, 910_000, 120_000, 4_000_00}}},
	},
	"stacked": chart.Bars{
		Frame: chart.Frame{Title: "Points given and taken", About: "Points, by month", X: "month", Y: "points"}, Stacked: true, Labels: months,
		Series: []chart.Series{
			{Name: "earned", Values: []int64{20_000, 21_500, 19_000, 24_000, 26_500, 31_000}},
			{Name: "for friends", Values: []int64{1_000, 1_500, 900, 2_000, 2_500, 3_000}},
			{Name: "spent", Values: []int64{-5_000, -7_000, -9_500, -11_000, -12_500, -16_000}},
			{Name: "expired", Values: []int64{0, 0, -2_500, -1_500, -2_000, -2_200}},
		},
	},
	"grouped": chart.Bars{
		Frame:  chart.Frame{Title: "Holdout: predicted and actual", About: "Mean purchases in the half that the model had not seen", X: "purchases before", Y: "purchases", Decimals: 2},
		Labels: []string{"0", "1", "2", "3", "4", "5", "6", "7+"},
		Series: []chart.Series{{Name: "predicted", Values: []int64{23, 55, 91, 140, 181, 230, 270, 402}}, {Name: "actual", Values: []int64{24, 60, 88, 145, 170, 241, 259, 430}}},
	},
	"lines": chart.Lines{
		Frame: chart.Frame{Title: "Repeat rate", About: "Members with two purchase days, of all who bought, in percent", X: "month", Y: "%", Decimals: 1}, Labels: months,
		Series: []chart.Series{{Name: "all", Values: []int64{310, 322, 331, 330, 345, 352}}, {Name: "brought by friends", Values: []int64{402, 396, 410, 431, 440, 452}}, {Name: "others", Values: []int64{300, 310, 315, 312}}},
	},
	"curve": chart.Lines{
		Frame:  chart.Frame{Title: "80/20", About: "The best 20 % of the members bring 63.7 % of the spend", X: "members, the highest spend first, %", Y: "spend, %", Decimals: 2},
		Labels: []string{"0", "10", "20", "30", "40", "50", "60", "70", "80", "90", "100"},
		Series: []chart.Series{
			{Name: "spend", Values: []int64{0, 3562, 6370, 7397, 8014, 8630, 9110, 9589, 9795, 9932, 10000}},
			{Name: "if all spent alike", Values: []int64{0, 1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000, 9000, 10000}},
		},
	},
	"heat": chart.Heat{
		Frame: chart.Frame{Title: "Cohorts", About: "Members who bought again, in percent of those who first bought in a month", X: "months since the first purchase", Y: "first purchase"},
		Rows:  months, Columns: []string{"0", "1", "2", "3", "4", "5"}, Suffix: "%",
		Cells: [][]int64{{100, 41, 33, 30, 28, 27}, {100, 44, 35, 31, 30, chart.Nothing}, {100, 39, 32, 29, chart.Nothing, chart.Nothing}, {100, 47, 38, chart.Nothing, chart.Nothing, chart.Nothing}, {100, 45, chart.Nothing, chart.Nothing, chart.Nothing, chart.Nothing}, {100, chart.Nothing, chart.Nothing, chart.Nothing, chart.Nothing, chart.Nothing}},
	},
	"migration": chart.Heat{
		Frame: chart.Frame{Title: "Migration", About: "Members by their group in the run before (rows) and in this run (columns)", X: "to", Y: "from"},
		Rows:  []string{"none", "regular heavy", "regular light", "infrequent heavy", "infrequent light", "former"}, Columns: []string{"none", "regular heavy", "regular light", "infrequent heavy", "infrequent light", "former"},
		Cells: [][]int64{{0, 12, 40, 8, 310, 0}, {0, 1210, 44, 31, 2, 3}, {0, 61, 1840, 0, 122, 25}, {0, 40, 2, 402, 55, 71}, {0, 3, 201, 66, 12_503, 830}, {0, 1, 9, 4, 88, 20_114}},
	},
	"waterfall": chart.Waterfall{
		Frame: chart.Frame{Title: "Points: what is owed to members", About: "November 2026; closing 12,000 points, 480.00 ILS", X: "", Y: "points"},
		Steps: []chart.Step{{"opening", 0, true}, {"earned", 20_000, false}, {"spent", -5_000, false}, {"restored", 100, false}, {"expired", -2_500, false}, {"clawed back", -600, false}, {"closing", 12_000, true}},
	},
	"empty": chart.Bars{Frame: chart.Frame{Title: "Nothing yet", About: "No member has bought anything", X: "month", Y: "points"}},
}

func TestPictures(t *testing.T) {
	for name, p := range pictures {
		t.Run(name, func(t *testing.T) {
			got := p.SVG()
			path := filepath.Join("testdata", name+".svg")
			if *update {
				if err := os.WriteFile(path, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s is another picture now (go test -update, and look at it): %v", path, err)
			}
			wellFormed(t, got)
		})
	}
}

// wellFormed holds that a picture is XML, has nothing that acts or is fetched,
// and answers its text.
func wellFormed(t interface {
	Helper()
	Fatalf(string, ...any)
}, svg []byte,
) (text string) {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(svg))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return text
		}
		if err != nil {
			t.Fatalf("%v in %s", err, svg)
		}
		switch x := token.(type) {
		case xml.CharData:
			text += string(x)
		case xml.StartElement:
			if !strings.Contains(" svg title desc rect line path text circle ", " "+x.Name.Local+" ") {
				t.Fatalf("an element %s", x.Name.Local)
			}
			for _, a := range x.Attr {
				if strings.HasPrefix(a.Name.Local, "on") || strings.Contains(a.Name.Local, "href") || strings.Contains(a.Value, "NaN") || strings.Contains(a.Value, "Inf") {
					t.Fatalf("an attribute %s=%q", a.Name.Local, a.Value)
				}
			}
		}
	}
}

// Whatever the texts and values are, every chart is a picture, always the same.
func TestAnyDataIsAPicture(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{`<script>alert(1)</script>`, `"&'`, "שלום <b>", "a\x00b\u202ec", "\xff", "]]>"}))
		value := rapid.OneOf(rapid.Int64(), rapid.SampledFrom([]int64{0, math.MinInt64, math.MaxInt64, -1}))
		values := rapid.SliceOfN(value, 0, 9)
		f := chart.Frame{Title: text.Draw(t, "title"), About: text.Draw(t, "about"), X: text.Draw(t, "x"), Y: text.Draw(t, "y"), Decimals: rapid.IntRange(0, 3).Draw(t, "decimals")}
		labels := rapid.SliceOfN(text, 0, 40).Draw(t, "labels")
		var series []chart.Series
		var cells [][]int64
		var steps []chart.Step
		for range rapid.IntRange(0, 9).Draw(t, "rows") {
			row := values.Draw(t, "row")
			series, cells = append(series, chart.Series{Name: text.Draw(t, "name"), Values: row}), append(cells, row)
			steps = append(steps, chart.Step{Name: text.Draw(t, "step"), Value: value.Draw(t, "value"), Total: rapid.Bool().Draw(t, "total")})
		}
		for _, p := range []drawn{
			chart.Bars{f, labels, series, false},
			chart.Bars{f, labels, series, true},
			chart.Lines{f, labels, series},
			chart.Heat{Frame: f, Rows: labels, Columns: labels, Cells: cells},
			chart.Waterfall{f, steps},
		} {
			svg := p.SVG()
			wellFormed(t, svg)
			if !bytes.Equal(svg, p.SVG()) {
				t.Fatalf("another picture of the same")
			}
		}
	})
}

// A name in Hebrew moves no number beside it, and cannot break out.
func TestTextIsIsolatedAndEscaped(t *testing.T) {
	svg := chart.Bars{Frame: chart.Frame{Title: "t", About: "a"}, Labels: []string{"\u202eלקוחות <b>"}, Series: []chart.Series{{Values: []int64{1}}}}.SVG()
	if !bytes.Contains(svg, []byte("\u2068לקוחות &lt;b&gt;\u2069")) || bytes.ContainsRune(svg, 0x202e) {
		t.Errorf("%s", svg)
	}
}

func TestNumbers(t *testing.T) {
	for want, got := range map[string]string{
		"0": chart.Number(0, 0), "0.05": chart.Number(5, 2), "−1,234.50": chart.Number(-123450, 2), "999": chart.Number(999, 0),
		"1,000": chart.Number(1000, 0), "−9,223,372,036,854,775,808": chart.Number(math.MinInt64, 0),
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
