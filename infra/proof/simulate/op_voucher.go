package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"regulars/shared/table"
)

// learn gives the vouchers that were just made the codes that the product
// made for them: they follow from a secret. It tells what was written that
// should not be, or the other way round.
func (p *programme) learn(writes []table.Write) string {
	for _, wr := range writes {
		code, ok := strings.CutPrefix(wr.Item.PK, p.name+"#VOUCHER#")
		if !ok || wr.Item.Version > 1 {
			continue
		}
		if len(p.nameless) == 0 {
			return "issued the voucher " + code + " for nothing"
		}
		if p.vouchers[code] != nil {
			return "issued the voucher " + code + " twice"
		}
		v := p.nameless[0]
		p.nameless, v.code, p.vouchers[code] = p.nameless[1:], code, v
		p.tellVoucher(v)
	}
	if len(p.nameless) > 0 {
		return "did not issue the voucher of " + p.nameless[0].member
	}
	return ""
}

// aVoucher is one of a member's, mostly one that can be used.
func (w *world) aVoucher(p *programme, m *member, r *rand.Rand) *voucher {
	if len(m.open) > 0 && r.IntN(4) > 0 {
		return m.open[r.IntN(len(m.open))]
	}
	if code := w.oneOf(p, "voucher", r); code != "" {
		return p.vouchers[code]
	}
	return nil
}

// A till takes a voucher.
var useVoucher = Kind{Name: "voucher used", Weight: 4, Draw: func(w *world, p *programme, r *rand.Rand) *message {
	v := w.drawVoucher(p, r)
	if v == nil {
		return nil
	}
	u := &voucherUse{code: v.code}
	if r.IntN(2) == 0 {
		u.member = v.member
		if other := w.someone(p, r); other != nil && r.IntN(8) == 0 {
			u.member = other.id
		}
	}
	if r.IntN(2) == 0 {
		u.order = fmt.Sprint("basket", w.number())
	}
	m := &message{op: u, program: p}
	if r.IntN(2) == 0 {
		m.key = w.key("voucher")
	}
	w.remember(p, "voucher", v.code)
	return m
}}

// drawVoucher is somebody's voucher.
func (w *world) drawVoucher(p *programme, r *rand.Rand) *voucher {
	for range 20 {
		m := w.someone(p, r)
		if m == nil {
			return nil
		}
		if len(m.open) > 0 {
			return w.aVoucher(p, m, r)
		}
	}
	return nil
}

type voucherUse struct{ code, member, order string }

func (u *voucherUse) Request(p *programme, _ time.Time) *http.Request {
	more := ""
	if u.member != "" {
		more += fmt.Sprintf(`,"member":"mem_%s"`, u.member)
	}
	if u.order != "" {
		more += fmt.Sprintf(`,"order":{"source":"till","id":%q}`, u.order)
	}
	return request(p, "POST", "/v1/vouchers/redeem", fmt.Sprintf(`{"code":%q%s}`, strings.ToLower(u.code), more))
}

func (u *voucherUse) Decide(p *programme, now time.Time, _ string) (answer, func()) {
	v := p.vouchers[u.code]
	m := p.holder(v.member)
	if u.member != "" && p.holder(u.member).id != m.id {
		return refuse(422, "voucher_not_usable"), nil
	}
	order := ""
	if u.order != "" {
		order = "till/" + u.order
	}
	changed, refused := m.use(v, order, now)
	if refused != "" {
		return refuse(422, "voucher_not_usable", value{"details.reason", "it is " + refused}), nil
	}
	a := answer{200, "", []value{{"code", v.written()}, {"status", "used"}, {"member", "mem_" + m.id}, {"reward", "coffee"}}}
	if !changed {
		return a, nil
	}
	return a, func() { p.store(m) }
}

// A till gives a voucher back.
var releaseVoucher = Kind{Name: "voucher released", Weight: 1, Draw: func(w *world, p *programme, r *rand.Rand) *message {
	code := w.oneOf(p, "voucher", r)
	if code == "" {
		return nil
	}
	return &message{op: &voucherBack{code}, program: p}
}}

type voucherBack struct{ code string }

func (u *voucherBack) Request(p *programme, _ time.Time) *http.Request {
	return request(p, "POST", "/v1/vouchers/"+u.code+"/release", "{}")
}

func (u *voucherBack) Decide(p *programme, now time.Time, _ string) (answer, func()) {
	v := p.vouchers[u.code]
	m := p.holder(v.member)
	is := func(status string) answer {
		return answer{200, "", []value{{"code", v.written()}, {"status", status}, {"member", "mem_" + m.id}}}
	}
	switch v.stage {
	case "issued":
		return is(v.at(now)), nil
	case "withdrawn":
		return refuse(422, "voucher_not_usable"), nil
	}
	m.giveBack(v, now)
	status := "issued"
	if v.until > 0 && v.until <= now.Unix() {
		status = "expired"
	}
	return is(status), func() { p.store(m) }
}

// A till asks whether a voucher can be used.
var validateVoucher = Kind{Name: "voucher validated", Weight: 1, Draw: func(w *world, p *programme, r *rand.Rand) *message {
	if v := w.drawVoucher(p, r); v != nil {
		return &message{op: &voucherAsked{v.code}, program: p}
	}
	return nil
}}

type voucherAsked struct{ code string }

func (u *voucherAsked) Request(p *programme, _ time.Time) *http.Request {
	return request(p, "POST", "/v1/vouchers/validate", fmt.Sprintf(`{"code":%q}`, u.code))
}

func (u *voucherAsked) Decide(p *programme, now time.Time, _ string) (answer, func()) {
	v := p.vouchers[u.code]
	if stage := v.at(now); stage != "issued" {
		return refuse(422, "voucher_not_usable", value{"details.reason", "it is " + stage}), nil
	}
	return answer{200, "", []value{{"code", v.written()}, {"status", "issued"}, {"member", "mem_" + p.holder(v.member).id}}}, nil
}

// A member looks at her vouchers, or at what her tier gives.
var readBenefits = Kind{Name: "benefits", Weight: 3, Draw: func(w *world, p *programme, r *rand.Rand) *message {
	m := w.someone(p, r)
	if m == nil {
		return nil
	}
	if r.IntN(2) == 0 {
		return &message{op: &lookVouchers{m.id}, program: p}
	}
	return &message{op: &lookBenefits{m.id}, program: p}
}}

type lookVouchers struct{ member string }

func (l *lookVouchers) Request(p *programme, _ time.Time) *http.Request {
	return request(p, "GET", "/v1/members/mem_"+l.member+"/vouchers", "")
}

func (l *lookVouchers) Decide(p *programme, now time.Time, _ string) (answer, func()) {
	m := p.holder(l.member)
	m.settle(now, p.pick(m.id, ""))
	a := answer{status: 200}
	for i, v := range m.open {
		at := fmt.Sprint("data.", i, ".")
		a.values = append(a.values, value{at + "code", v.written()}, value{at + "status", "issued"}, value{at + "goal", v.goal})
	}
	a.values = append(a.values, value{fmt.Sprint("data.", len(m.open)), nil})
	return a, nil
}

type lookBenefits struct{ member string }

func (l *lookBenefits) Request(p *programme, _ time.Time) *http.Request {
	return request(p, "GET", "/v1/members/mem_"+l.member+"/entitlements", "")
}

func (l *lookBenefits) Decide(p *programme, now time.Time, _ string) (answer, func()) {
	m := p.holder(l.member)
	t := p.pick(m.id, "")
	m.settle(now, t)
	a := answer{200, "", []value{{"tier", orNull(m.tier(t))}}}
	give := func(i int, id string, what any, from string) {
		at := fmt.Sprint("data.", i, ".")
		a.values = append(a.values, value{at + "id", id}, value{at + "value", what}, value{at + "source", "tier:" + from})
	}
	switch m.tier(t) {
	case "silver":
		give(0, "return_days", int64(30), "silver")
		give(1, "silver_hours", true, "silver")
	case "gold": // with what the level below has
		give(0, "return_days", int64(60), "gold")
		give(1, "silver_hours", true, "silver")
		give(2, "gold_hours", true, "gold")
	}
	return a, nil
}
