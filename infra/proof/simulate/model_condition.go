package main

import (
	"slices"
)

// definition is a segment that a program defines itself: a list of members, or
// a condition. No condition asks for attributes, which nobody here has.
type definition struct {
	id    string
	list  []string
	where *condition // nil: the list
}

// condition holds when all holds that it states; of a list one has to be met.
type condition struct {
	segments  []string // shipped ones
	rfm       []string
	statistic string // "": none is asked for
	from, to  *int64
	all, any  []condition
	not       *condition
}

func (d *definition) body() map[string]any {
	if d.where != nil {
		return map[string]any{"where": d.where.body()}
	}
	list := []string{}
	for _, m := range d.list {
		list = append(list, "mem_"+m)
	}
	return map[string]any{"list": list}
}

func (c *condition) body() map[string]any {
	b := map[string]any{}
	if c.segments != nil {
		b["segments"] = c.segments
	}
	if c.rfm != nil {
		b["rfm"] = c.rfm
	}
	if c.statistic != "" {
		between := map[string]any{}
		if c.from != nil {
			between["from"] = *c.from
		}
		if c.to != nil {
			between["to"] = *c.to
		}
		b["statistics"] = map[string]any{c.statistic: between}
	}
	for name, list := range map[string][]condition{"all": c.all, "any": c.any} {
		var parts []map[string]any
		for i := range list {
			parts = append(parts, list[i].body())
		}
		if parts != nil {
			b[name] = parts
		}
	}
	if c.not != nil {
		b["not"] = c.not.body()
	}
	return b
}

// has tells whether a member is in it who is in these shipped segments and
// whose purchases have this name by the quantiles of a run.
func (d *definition) has(f *figures, shipped []string, rfm string) bool {
	if d.where == nil {
		return slices.Contains(d.list, f.id)
	}
	return d.where.holds(f, shipped, rfm)
}

func (c *condition) holds(f *figures, shipped []string, rfm string) bool {
	met := func(list []string, by func(string) bool) bool { return list == nil || slices.ContainsFunc(list, by) }
	if !met(c.segments, func(s string) bool { return slices.Contains(shipped, s) }) || !met(c.rfm, func(s string) bool { return s == rfm }) {
		return false
	}
	if c.statistic != "" {
		n := f.statistic(c.statistic)
		if c.from != nil && n < *c.from || c.to != nil && n > *c.to {
			return false
		}
	}
	one := func(x condition) bool { return x.holds(f, shipped, rfm) }
	if slices.ContainsFunc(c.all, func(x condition) bool { return !one(x) }) || c.not != nil && one(*c.not) {
		return false
	}
	return c.any == nil || slices.ContainsFunc(c.any, one)
}
