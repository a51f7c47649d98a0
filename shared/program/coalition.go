package program

import (
	"strconv"

	"regulars/shared/loyalty"
)

// goal checks what the program is for.
func (d *Document) goal(c *checker) {
	if d.Goal == nil {
		return
	}
	c.oneOf("/goal/kpi", d.Goal.KPI, "repeat_rate", "redemption_rate", "share_of_revenue")
	c.ratio("/goal/target", d.Goal.Target, 0, 1)
	c.text("/goal/reason", d.Goal.Reason)
}

// coalition compiles cards, partners and leaderboards.
func (d *Document) coalition(c *checker, t *loyalty.Terms) {
	if d.Cards != nil {
		t.CardBenefits = c.benefits("/cards/benefits", d.Cards.Benefits)
	}
	seen, sources := map[string]bool{}, map[string]bool{}
	c.between("/partners (their number)", int64(len(d.Partners)), 0, 100)
	for i, p := range d.Partners {
		path := "/partners/" + strconv.Itoa(i)
		c.id(path+"/id", p.ID, seen)
		c.text(path+"/name", p.Name)
		c.between(path+"/sources (their number)", int64(len(p.Sources)), 1, 20)
		for j, s := range p.Sources {
			at := path + "/sources/" + strconv.Itoa(j)
			if !loyalty.ValidSource(s) {
				c.refuse(at, s, loyalty.SourceRule)
			}
			if sources[s] {
				c.refuse(at, s, "is another partner's source already")
			}
			sources[s] = true
		}
		c.between(path+"/settle/points", p.Settle.Points, 1, maxPoints)
		c.between(path+"/settle/amount", p.Settle.Amount, 0, maxAmount)
		out := loyalty.Partner{ID: p.ID, Sources: p.Sources, Settle: loyalty.Price{Points: p.Settle.Points, Amount: p.Settle.Amount}}
		if x := p.Exchange; x != nil {
			c.between(path+"/exchange/points", x.Points, 1, maxPoints)
			c.between(path+"/exchange/units", x.Units, 1, maxPoints)
			c.between(path+"/exchange/minimum", x.Minimum, 0, loyalty.MaxPoints)
			if !ruleID.MatchString(x.Unit) {
				c.refuse(path+"/exchange/unit", x.Unit, "must be 1 to 40 of a-z, 0-9, _ and -, such as miles")
			}
			out.Exchange = &loyalty.Swap{Points: x.Points, Units: x.Units, Unit: x.Unit, Least: max(1, x.Minimum)}
		}
		t.Partners = append(t.Partners, out)
	}
	seen = map[string]bool{}
	c.between("/leaderboards (their number)", int64(len(d.Leaderboards)), 0, 5)
	for i, b := range d.Leaderboards {
		d.board(c, t, "/leaderboards/"+strconv.Itoa(i), b, seen)
	}
}

func (d *Document) board(c *checker, t *loyalty.Terms, path string, b Leaderboard, seen map[string]bool) {
	c.id(path+"/id", b.ID, seen)
	c.text(path+"/name", b.Name)
	c.oneOf(path+"/count", string(b.Count), "orders", "quantity", "amount")
	out := loyalty.Board{ID: b.ID, Per: c.calendar(path+"/per", b.Per), Count: b.Count, Where: d.where(c, path+"/where", b.Where, "order"), When: c.when(path+"/when", b.When)}
	if out.Per.Exact != 0 {
		c.refuse(path+"/per", b.Per, "must be days, weeks or months")
	}
	c.between(path+"/prizes (their number)", int64(len(b.Prizes)), 0, 20)
	for j, p := range b.Prizes {
		at := path + "/prizes/" + strconv.Itoa(j)
		c.between(at+"/from", p.From, 1, 100)
		c.between(at+"/to", p.To, p.From, 100)
		c.between(at+"/points", p.Points, 1, maxPoints)
		out.Prizes = append(out.Prizes, loyalty.Prize{From: p.From, To: p.To, Points: p.Points})
	}
	t.Boards = append(t.Boards, out)
}
