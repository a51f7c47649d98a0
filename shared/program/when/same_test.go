package when

import (
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"regulars/shared/loyalty"
)

var words = []string{"קפה", "چای", "it's", "a\\b"}

// A filter as plain data and the expression that asks the same decide the
// same of every order, to the line.
func TestFiltersAndExpressionsAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f, text := filter(t)
		when, err := Compiler{}.Compile(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		plain := loyalty.Rule{ID: "r", Rate: big.NewRat(1, 1), Where: f}
		asked := loyalty.Rule{ID: "r", Rate: big.NewRat(1, 1), When: when}
		for range 20 {
			o, c := order(t)
			if diff := cmp.Diff(decided(t, plain, o, c), decided(t, asked, o, c)); diff != "" {
				t.Fatalf("%+v and %s differ on %+v, %+v (-filter +expression):\n%s", f, text, o, c.Facts, diff)
			}
		}
	})
}

// filter draws a filter and writes it as an expression.
func filter(t *rapid.T) (f loyalty.Filter, text string) {
	seldom := rapid.SampledFrom([]bool{false, false, false, false, false, true}) // else next to no order meets all
	some := rapid.SliceOfNDistinct(rapid.SampledFrom(words), 1, 3, rapid.ID[string])
	asks := []string{"true"}
	ask := func(format string, args ...any) { asks = append(asks, fmt.Sprintf(format, args...)) }
	for _, l := range []struct {
		list *[]string
		name string
	}{
		{&f.Stores, "order.store"},
		{&f.Regions, "order.region"},
		{&f.Channels, "order.channel"},
		{&f.Tiers, "member.tier"},
		{&f.SKUs, "line.sku"},
		{&f.Categories, "line.category"},
		{&f.Collections, "line.collection"},
	} {
		if seldom.Draw(t, "asks of "+l.name) {
			*l.list = some.Draw(t, l.name)
			ask("%s in %s", l.name, list(*l.list))
		}
	}
	if seldom.Draw(t, "asks of segments") {
		f.Segments = some.Draw(t, "segments")
		ask("member.segments.exists(s, s in %s)", list(f.Segments))
	}
	if seldom.Draw(t, "asks of an attribute") {
		values := some.Draw(t, "values")
		f.Attributes = []loyalty.Attribute{{Name: "lang", Values: values}}
		ask("has(member.attributes.lang) && member.attributes.lang in %s", list(values))
	}
	if seldom.Draw(t, "asks of the number") {
		f.From = rapid.Int64Range(1, 4).Draw(t, "from")
		f.To = f.From + rapid.Int64Range(0, 2).Draw(t, "more")
		ask("order.number >= %d && order.number <= %d", f.From, f.To)
	}
	if len(f.SKUs)+len(f.Categories)+len(f.Collections) == 0 { // else these are of the lines that count
		if seldom.Draw(t, "asks of the amount") {
			f.Amount = rapid.Int64Range(1, 60).Draw(t, "amount") * 100
			ask("order.amount >= %d", f.Amount)
		}
		if seldom.Draw(t, "asks of the quantity") {
			f.Quantity = rapid.Int64Range(1, 6).Draw(t, "quantity")
			ask("order.quantity >= %d", f.Quantity)
		}
	}
	return f, strings.Join(asks, " && ")
}

func order(t *rapid.T) (*loyalty.Order, loyalty.Case) {
	word := rapid.SampledFrom(append([]string{""}, words...))
	o := &loyalty.Order{
		Source: "shop", ID: "1", State: rapid.SampledFrom([]loyalty.State{loyalty.Paid, loyalty.Paid, loyalty.Cancelled}).Draw(t, "state"), Currency: "ILS",
		Store: word.Draw(t, "store"), Region: word.Draw(t, "region"), Channel: word.Draw(t, "channel"),
	}
	for i := range rapid.IntRange(1, 4).Draw(t, "lines") {
		n := rapid.Int64Range(1, 3).Draw(t, "pieces")
		o.Lines = append(o.Lines, loyalty.Line{
			ID: fmt.Sprint(i), SKU: word.Draw(t, "sku"), Category: word.Draw(t, "category"), Collection: word.Draw(t, "collection"),
			Quantity: n, UnitPrice: 1000, Amount: 1000 * n, GiftCard: rapid.Bool().Draw(t, "gift card"), RefundedQuantity: rapid.Int64Range(0, n).Draw(t, "refunded"),
		})
	}
	if rapid.Bool().Draw(t, "discounted") {
		o.Discounts = []loyalty.Discount{{Amount: 100}}
	}
	facts := loyalty.Facts{
		Number: rapid.Int64Range(1, 6).Draw(t, "number"), Tier: word.Draw(t, "tier"),
		Segments: rapid.SliceOfN(rapid.SampledFrom(words), 0, 2).Draw(t, "segments"),
	}
	if rapid.Bool().Draw(t, "has the attribute") {
		facts.Attributes = map[string]string{"lang": word.Draw(t, "lang")}
	}
	return o, loyalty.Case{At: time.Date(2026, 3, 15, 9, 0, 0, 0, time.UTC), Facts: facts}
}

// decided is what an order earns by one rule, and on which of its lines the
// rule applies.
func decided(t *rapid.T, r loyalty.Rule, o *loyalty.Order, c loyalty.Case) any {
	terms := (&loyalty.Terms{Currency: "ILS", Zone: time.UTC, Earning: loyalty.Earning{
		When: loyalty.Paid, Rounding: loyalty.Floor, Stacking: loyalty.StackBest, Rules: []loyalty.Rule{r},
	}}).Seal()
	w, d, err := terms.Explain(o, "", c)
	if err != nil {
		t.Fatal(err)
	}
	return []any{w, d.Rules[0].Unmet == loyalty.Met || d.Rules[0].Unmet == loyalty.UnmetBest, d.Rules[0].Lines}
}

// list writes texts as an expression has them.
func list(texts []string) string {
	quoted := make([]string, len(texts))
	for i, s := range texts {
		quoted[i] = "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
