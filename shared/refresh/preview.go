package refresh

import (
	"regulars/shared/loyalty"
	"regulars/shared/segment"
)

// Preview counts whom a definition would have. Which shipped segments members
// are in is what the last run said of them.
type Preview struct {
	Members int64 // whom it has
	Of      int64 // looked at

	conditions *conditions
	calendar   calendar
	cuts       *Cuts
	glance     loyalty.Glance
	row        row
}

// NewPreview of a definition on a local day. cuts are those of the newest
// finished run; nil before there is one.
func NewPreview(d Definition, cuts *Cuts, today int32) (*Preview, error) {
	c, err := compile([]Definition{d}, today)
	if err != nil {
		return nil, err
	}
	p := &Plan{Today: today}
	return &Preview{conditions: c, calendar: newCalendar(p.month()), cuts: cuts}, nil
}

// Attributes tells whether it has to know those of members.
func (p *Preview) Attributes() bool { return p.conditions.attributes() }

// Look at a member.
func (p *Preview) Look(member string, side []byte, attributes map[string]string) error {
	if err := p.glance.Read(side); err != nil || p.glance.Merged {
		return err
	}
	p.conditions.row(&p.glance, &p.calendar, member, attributes, &p.row)
	var rfm segment.RFM
	if p.cuts != nil && p.cuts.RFM != nil {
		rfm = p.cuts.RFM.ScoreOf(&p.row.m, p.conditions.today)
	}
	p.Of++
	if p.conditions.of(&p.row, p.row.shipped, rfm) != 0 {
		p.Members++
	}
	return nil
}
