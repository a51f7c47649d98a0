package program

import (
	"strconv"

	"regulars/shared/loyalty"
)

// levels are the ids of the tiers.
func (d *Document) levels() []string {
	var ids []string
	if d.Tiers != nil {
		for _, l := range d.Tiers.Levels {
			ids = append(ids, l.ID)
		}
	}
	return ids
}

func (d *Document) tiers(c *checker, t *loyalty.Terms) {
	for i, p := range d.Plans {
		d.plan(c, t, "/plans/"+strconv.Itoa(i), p)
	}
	c.number("/plans", len(d.Plans), 0, 20)
	if d.Tiers == nil {
		return
	}
	in := d.Tiers
	c.oneOf("/tiers/qualify_by", string(in.QualifyBy), "base_points", "spend", "orders")
	c.oneOf("/tiers/downgrade", string(in.Downgrade), "period_end", "at_once", "never")
	c.oneOf("/tiers/crossing", string(in.Crossing), "tier_before", "split_at_threshold")
	out := &loyalty.Tiers{
		QualifyBy: in.QualifyBy, Downgrade: in.Downgrade, Crossing: in.Crossing,
		Validity: c.period("/tiers/validity", in.Validity), Grace: c.period("/tiers/grace", in.Grace), Warning: c.period("/tiers/warning", in.Warning),
	}
	if in.Window != "none" {
		out.Window = c.period("/tiers/window", in.Window)
		if out.Window.Months == 0 || out.Window.Days != 0 || out.Window.Exact != 0 {
			c.refuse("/tiers/window", in.Window, "must be a number of months such as P12M, or none: orders count by the month")
		}
	}
	if out.Validity.IsZero() {
		c.refuse("/tiers/validity", in.Validity, "must be longer than nothing")
	}
	if !out.Warning.After(epoch, t.Zone).Before(out.Validity.After(epoch, t.Zone)) {
		c.refuse("/tiers/warning", in.Warning, "must be shorter than validity")
	}
	c.number("/tiers/levels", len(in.Levels), 1, 20)
	seen := map[string]bool{}
	for i, l := range in.Levels {
		path := "/tiers/levels/" + strconv.Itoa(i)
		c.id(path+"/id", l.ID, seen)
		c.text(path+"/name", l.Name)
		c.between(path+"/from", l.From, 0, loyalty.MaxPoints)
		if i > 0 && l.From <= in.Levels[i-1].From {
			c.refuse(path+"/from", l.From, "must be more than the level before it asks for")
		}
		level := loyalty.Level{ID: l.ID, From: l.From, Benefits: c.benefits(path+"/benefits", l.Benefits)}
		if l.Multiplier != "" {
			level.Multiplier = c.ratio(path+"/multiplier", l.Multiplier, 1, 1000)
		}
		out.Levels = append(out.Levels, level)
	}
	t.Tiers = out
}

func (d *Document) plan(c *checker, t *loyalty.Terms, path string, p Plan) {
	seen := map[string]bool{}
	for _, o := range t.Plans {
		seen[o.ID] = true
	}
	c.id(path+"/id", p.ID, seen)
	c.text(path+"/name", p.Name)
	c.activity(path+"/activity", p.Activity)
	if p.EndsWith != "" {
		c.activity(path+"/ends_with", p.EndsWith)
	}
	if p.EndsWith == p.Activity {
		c.refuse(path+"/ends_with", p.EndsWith, "must be another activity than the one that begins the plan")
	}
	lasts := c.period(path+"/lasts", p.Lasts)
	if lasts.IsZero() {
		c.refuse(path+"/lasts", p.Lasts, "must be longer than nothing")
	}
	if levels := d.levels(); p.Tier != "" {
		known := false
		for _, l := range levels {
			known = known || l == p.Tier
		}
		if !known {
			c.refuse(path+"/tier", p.Tier, "is no tier of the program", levels...)
		}
	}
	t.Plans = append(t.Plans, loyalty.Plan{ID: p.ID, Activity: p.Activity, Ends: p.EndsWith, Lasts: lasts, Tier: p.Tier, Benefits: c.benefits(path+"/benefits", p.Benefits)})
}

// benefits are true or false, whole numbers or short texts by name.
func (c *checker) benefits(path string, in loyalty.Benefits) loyalty.Benefits {
	c.number(path, len(in), 0, 50)
	out := loyalty.Benefits{}
	for _, id := range sorted(in) {
		at := path + "/" + id
		if !ruleID.MatchString(id) {
			c.refuse(at, id, "must be 1 to 40 of a-z, 0-9, _ and -")
		}
		switch v := in[id].(type) {
		case bool:
			out[id] = v
		case string:
			if v == "" || len(v) > 200 {
				c.refuse(at, v, "must be 1 to 200 bytes")
			}
			out[id] = v
		case float64: // as JSON has numbers
			if v != float64(int64(v)) || v < 0 || v > 1e12 {
				c.refuse(at, v, "must be a whole number from 0 to 1000000000000")
			}
			out[id] = int64(v)
		default:
			c.refuse(at, v, "must be true, false, a whole number or a text")
		}
	}
	return out
}
