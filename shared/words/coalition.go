package words

import (
	"fmt"

	"regulars/shared/program"
)

func (w *writer) cards() {
	if w.d.Cards == nil {
		return
	}
	w.section("cards", "/cards", w.say("title.cards"))
	w.benefits("/cards/benefits/", w.d.Cards.Benefits)
}

func (w *writer) partner(path string, p *program.Partner) {
	w.named("partner", path, p.Name, p.ID)
	w.add(path+"/sources", "partner.sources", "list", w.each(p.Sources, given))
	if x := p.Exchange; x != nil {
		w.add(path+"/exchange", "partner.exchange", "points", w.count("point", x.Points), "unit", given(x.Unit), "n", w.number(x.Units))
		if x.Minimum > 0 {
			w.add(path+"/exchange/minimum", "partner.minimum", "points", w.count("point", x.Minimum))
		}
	}
	w.add(path+"/settle", "partner.settle", "points", w.count("point", p.Settle.Points), "amount", w.amount(p.Settle.Amount))
}

func (w *writer) leaderboard(path string, b *program.Leaderboard) {
	w.named("leaderboard", path, b.Name, b.ID)
	w.add(path, "board."+string(b.Count), "period", w.period(b.Per))
	w.asks(path, "order", b.Where, b.When, nil)
	for i, p := range b.Prizes {
		key := "board.prize.span"
		if p.From == p.To {
			key = "board.prize.one"
		}
		w.add(fmt.Sprint(path, "/prizes/", i), key, "from", w.number(p.From), "to", w.number(p.To), "points", w.count("point", p.Points))
	}
}
