package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"regulars/shared/table"
)

// A person asks to be forgotten.
var erasePerson = Kind{Name: "erasure", Weight: 1, Draw: func(w *world, p *programme, r *rand.Rand) *message {
	m := w.someone(p, r)
	if m == nil || m.gone || r.IntN(3) > 0 {
		return nil
	}
	return &message{op: &erase{m.id}, program: p, alone: true}
}}

type erase struct{ member string }

func (e *erase) Request(p *programme, _ time.Time) *http.Request {
	return request(p, "POST", "/v1/privacy/erasures", fmt.Sprintf(`{"member":"mem_%s"}`, e.member))
}

func (e *erase) Decide(p *programme, _ time.Time, _ string) (answer, func()) {
	m := p.holder(e.member)
	return answer{200, "", []value{{"member", "mem_" + m.id}, {"erased", true}}}, func() {}
}

// Wrote implements inParts.
func (e *erase) Wrote(p *programme, writes []table.Write) { p.forgotten(writes) }

// Left implements inParts.
func (e *erase) Left(p *programme, _ map[string]any) string { return p.remembered(e.member) }

// A Shopify store passes on that a customer asks to be forgotten.
var shopifyRedaction = Kind{Name: "Shopify redaction", Weight: 1, Draw: func(w *world, p *programme, r *rand.Rand) *message {
	if r.IntN(3) > 0 {
		return nil
	}
	return &message{op: &redact{fmt.Sprint(1 + r.IntN(30)), w.number()}, program: p, alone: true, late: true}
}}

type redact struct {
	customer string
	request  int
}

func (t *redact) Request(p *programme, _ time.Time) *http.Request {
	return shopify(p, "customers/redact", map[string]any{"shop_id": t.request, "customer": map[string]any{"id": json.Number(t.customer)}})
}

func (t *redact) Decide(p *programme, _ time.Time, _ string) (answer, func()) {
	request := fmt.Sprint(t.request)
	if who, asked := p.asked[request]; asked && who == "" {
		return answer{200, "", []value{{"status", "duplicate"}}}, nil
	}
	return answer{200, "", []value{{"status", "applied"}}}, func() {
		if _, asked := p.asked[request]; !asked {
			delete(p.claims, "EXTERNAL "+t.customer)
			p.asked[request] = "" // until it is done: whom it is about
			if m := p.holder(p.external[p.name+"-shopify/"+t.customer]); m != nil {
				p.asked[request], p.about[request] = m.id, m.id
			}
		}
	}
}

// Wrote implements inParts. The request is written twice: before the erasure
// and when all is done.
func (t *redact) Wrote(p *programme, writes []table.Write) {
	p.forgotten(writes)
	for _, w := range writes {
		if w.Item.SK == "PRIVACY" && w.Item.Version > 1 {
			p.asked[fmt.Sprint(t.request)] = ""
		}
	}
}

// Left implements inParts.
func (t *redact) Left(p *programme, answer map[string]any) string {
	if answer["status"] != "applied" {
		return ""
	}
	return p.remembered(p.about[fmt.Sprint(t.request)])
}

// forgotten follows an erasure, which takes a transaction for each of the
// people who were merged, and may be cut short between them.
func (p *programme) forgotten(writes []table.Write) {
	for _, w := range writes {
		if id, ok := strings.CutPrefix(w.Item.PK, p.name+"#EXTERNAL#"); ok && w.Delete {
			delete(p.external, w.Item.SK+"/"+id)
		}
		if w.Item.SK == "PROFILE" {
			p.forget(p.members[w.Item.PK[strings.LastIndexByte(w.Item.PK, '#')+1:]])
		}
	}
}

// remembered tells who is not erased yet, of a member and those who were
// merged there; "" when nobody is.
func (p *programme) remembered(member string) string {
	holder := p.holder(member)
	if holder == nil {
		return "" // a request about somebody whom nobody knows
	}
	for _, id := range append([]string{holder.id}, holder.merged...) {
		if name := p.members[id].name; name != "" {
			return fmt.Sprintf("%s of %s is not erased", name, id)
		}
	}
	return ""
}
