package histories

import (
	"fmt"
	"strings"
)

func (r request) String() string {
	var s string
	switch r.Kind {
	case earn:
		s = fmt.Sprintf("order %d version %d of %s: %d, refunded %d", r.Order, r.Version, name(r.Member), r.Amount, r.Refunded)
	case hold, redeem:
		s = fmt.Sprintf("%s %d of %s as #%d", r.Kind, r.Points, name(r.Member), r.Hold)
	case capture, release, cancel, readHold:
		s = fmt.Sprintf("%s #%d", r.Kind, r.Hold)
	case adjust:
		s = fmt.Sprintf("adjust %s by %d", name(r.Member), r.Points)
	case merge:
		s = fmt.Sprintf("merge %s into %s", name(r.Member), name(r.Into))
	case readOrder:
		s = fmt.Sprintf("read order %d", r.Order)
	default:
		s = fmt.Sprintf("%s %s", r.Kind, name(r.Member))
	}
	if r.Key != 0 {
		s += fmt.Sprintf(" (key %d)", r.Key)
	}
	return s
}

func name(member int) string { return string(rune('A' + member)) }

func (o outcome) String() string {
	if o.Lost {
		return "no answer"
	}
	var b strings.Builder
	fmt.Fprint(&b, o.Status)
	if o.Code != "" {
		fmt.Fprint(&b, " "+o.Code)
	}
	if o.State != "" {
		fmt.Fprint(&b, " "+o.State)
	}
	if o.Member != 0 {
		fmt.Fprint(&b, " "+name(o.Member-1))
	}
	for _, f := range []struct {
		name string
		n    int64
	}{
		{"points", o.Points},
		{"value", o.Value},
		{"restored", o.Restored},
		{"version", o.Version},
		{"entries", o.Entries},
		{"seq", o.Seq},
		{"balance", o.Balance},
		{"available", o.Available},
		{"pending", o.Pending},
		{"held", o.Held},
		{"debt", o.Debt},
	} {
		if f.n != 0 {
			fmt.Fprintf(&b, " %s %d", f.name, f.n)
		}
	}
	return b.String()
}

func (s state) String() string {
	var parts []string
	for i, a := range s.accounts {
		switch {
		case a.into != 0:
			parts = append(parts, fmt.Sprintf("%s is %s", name(i), name(a.into-1)))
		case a.seq > 0:
			parts = append(parts, fmt.Sprintf("%s: available %d held %d debt %d entries %d", name(i), a.available, a.held, a.owed, a.seq))
		}
	}
	for i, o := range s.orders {
		if o.told.Version != 0 {
			parts = append(parts, fmt.Sprintf("order %d: version %d, %d points", i, o.told.Version, o.points))
		}
	}
	for i, h := range s.holds {
		if h.stage != "" {
			parts = append(parts, fmt.Sprintf("#%d %s %d", i, h.stage, h.points))
		}
	}
	return strings.Join(parts, "; ")
}
