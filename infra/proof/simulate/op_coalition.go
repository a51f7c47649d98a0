package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"regulars/shared/loyalty"
	"regulars/shared/table"
)

// The partner "air" gives a mile for swapPoints points, by the same terms in
// every version. No order is told from its own shops here.
const (
	swapPoints = 3
	swapLeast  = 5
)

// Points become miles of the partner.
var exchangePoints = Kind{Name: "exchange", Weight: 2, Draw: func(w *world, p *programme, r *rand.Rand) *message {
	m := w.someone(p, r)
	if m == nil {
		return nil
	}
	most := max(1, m.usable())
	x := &exchange{m.id, 1 + r.Int64N(most+most/4+1)}
	return &message{op: x, program: p, key: w.key("exchange")}
}}

type exchange struct {
	member string
	points int64
}

func (x *exchange) Request(p *programme, _ time.Time) *http.Request {
	return request(p, "POST", "/v1/partners/air/exchanges", fmt.Sprintf(`{"member":"mem_%s","points":%d}`, x.member, x.points))
}

func (x *exchange) Decide(p *programme, now time.Time, id string) (answer, func()) {
	m := p.holder(x.member)
	t := p.pick(m.id, "")
	m.settle(now, t)
	if x.points < swapLeast {
		return refuse(422, "below_minimum", value{"details.missing", swapLeast - x.points}), nil
	}
	if x.points > m.usable() {
		available, _ := m.shown(t)
		return refuse(422, "insufficient_points", value{"details.available", available}), nil
	}
	m.take(x.points)
	m.write("redeem", -x.points)
	m.pay(t)
	m.at = now.Unix()
	return answer{201, "", []value{{"id", "exc_" + id}, {"member", "mem_" + m.id}, {"points", x.points}, {"units", x.points / swapPoints}, {"unit", "miles"}}}, func() {
		p.store(m)
		p.swapped[now.In(zone).Format("2006-01")] += x.points
	}
}

// checkPartner holds the partner's statements against what was exchanged.
func (p *programme) checkPartner(tx *table.Tx) error {
	for month, want := range p.swapped {
		var s loyalty.Statement
		if err := tx.Movements("air", month, s.Add); err != nil {
			return err
		}
		if s.Exchanged != want {
			return fmt.Errorf("the partner's statement of %s has %d points exchanged, and should have %d", month, s.Exchanged, want)
		}
	}
	return nil
}

// A member makes a card her own, a new one or again the one that she has.
// That somebody bought with it before, so that it is another guest's or
// member's, is not simulated.
var bindCard = Kind{Name: "card", Weight: 1, Draw: func(w *world, p *programme, r *rand.Rand) *message {
	m := w.someone(p, r)
	if m == nil {
		return nil
	}
	number := fmt.Sprint("chip", w.number())
	if m.card != "" && r.IntN(2) == 0 {
		number = m.card
	}
	return &message{op: &bind{m.id, number}, program: p}
}}

type bind struct{ member, number string }

func (b *bind) Request(p *programme, _ time.Time) *http.Request {
	return request(p, "POST", "/v1/members/mem_"+b.member+"/cards", fmt.Sprintf(`{"number":%q}`, b.number))
}

func (b *bind) Decide(p *programme, _ time.Time, _ string) (answer, func()) {
	m := p.holder(b.member)
	is := answer{200, "", []value{{"id", "mem_" + m.id}, {"external_ids.card", b.number}}}
	if p.external["card/"+b.number] != "" {
		is.values = is.values[:1] // she may have the card of who was merged into her beside her own
		return is, func() {}      // told twice at once, the profile may be written again as it is
	}
	if m.card != "" {
		return refuse(409, "external_id_settled"), nil
	}
	return is, func() {
		m.card = b.number
		if m.ids == nil {
			m.ids = map[string]string{}
		}
		m.ids["card"] = b.number
		p.store(m)
		p.external["card/"+b.number] = m.id
	}
}

// Wrote implements inParts: all is in the first part.
func (b *bind) Wrote(*programme, []table.Write) {}

// Left implements inParts.
func (b *bind) Left(p *programme, answer map[string]any) string {
	if answer["code"] == nil && p.external["card/"+b.number] == "" {
		return "the card " + b.number + " is nobody's"
	}
	return ""
}
