package table

import (
	"slices"
	"time"

	"regulars/shared/loyalty"
	"regulars/shared/program"
)

// Party is who and where a version is asked for: a rollout may be for some
// members, stores or regions only. Empty is nobody and nowhere in particular.
type Party struct {
	Member string // id without prefix
	Store  string
	Region string
}

// VersionFor reads the version that is in force for a party now.
func (tx *Tx) VersionFor(p Party) (*Version, error) {
	c, err := tx.current()
	if err != nil {
		return nil, err
	}
	return tx.Version(c.pick(p.Member, p.Store, p.Region))
}

// VersionAt reads the version that was in force for a party at a time. Missing
// before the first was published. It looks from the newest back: versions are
// few, and a clock that was put back may have published an older one later.
func (tx *Tx) VersionAt(p Party, at time.Time) (*Version, error) {
	c, err := tx.current()
	if err != nil {
		return nil, err
	}
	for n := c.Version; n > 0; n-- {
		v, err := tx.Version(n)
		if err != nil {
			return nil, err
		}
		if v.At > at.Unix() {
			continue
		}
		doc, err := program.Parse(v.Doc, nil)
		if err != nil {
			return nil, err
		}
		if r := doc.Rollout; r == nil || (&Part{Stores: r.Stores, Regions: r.Regions, Percent: r.Percent}).takes(p.Member, p.Store, p.Region) {
			return v, nil
		}
	}
	return nil, loyalty.NotFound("program version")
}

// takes tells whether a part of all is rolled out to a member or an order's place.
func (r *Part) takes(member, store, region string) bool {
	return store != "" && slices.Contains(r.Stores, store) || region != "" && slices.Contains(r.Regions, region) || member != "" && Percentile(member) < r.Percent
}
