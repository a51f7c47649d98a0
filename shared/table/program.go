package table

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"regulars/shared/loyalty"
	"regulars/shared/program"
)

// current reads which version is in force, always fresh: a published version
// holds for every request begun after it was published.
func (tx *Tx) current() (*Current, error) {
	c, err := fresh[Current](tx, programKey(tx.program))
	if c == nil && err == nil {
		err = loyalty.NotFound("program")
	}
	return c, err
}

// Terms are the terms that are for everyone: what concerns no member and no
// order goes by them.
func (tx *Tx) Terms() (*loyalty.Terms, error) {
	c, err := tx.current()
	if err != nil {
		return nil, err
	}
	return tx.TermsOf(c.everyones())
}

// TermsOfMember are the terms that a member's account goes by: those of the
// newest version that is for everyone or for a part of the members that this
// one is in.
func (tx *Tx) TermsOfMember(member string) (*loyalty.Terms, error) {
	c, err := tx.current()
	if err != nil {
		return nil, err
	}
	return tx.TermsOf(c.pick(member, "", ""))
}

// TermsOfOrder are the terms that an order would be pinned to now.
func (tx *Tx) TermsOfOrder(member string, o *loyalty.Order) (*loyalty.Terms, error) {
	c, err := tx.current()
	if err != nil {
		return nil, err
	}
	return tx.TermsOf(c.pick(member, o.Store, o.Region))
}

// everyones is the newest version that was published for all.
func (c *Current) everyones() int64 {
	if c.Base > 0 {
		return c.Base
	}
	return c.Version
}

// pick is the newest version that is for a member and an order's place.
func (c *Current) pick(member, store, region string) int64 {
	for i := range c.Parts {
		if c.Parts[i].takes(member, store, region) {
			return c.Parts[i].Version
		}
	}
	return c.everyones()
}

// Percentile puts a member among a hundred parts of all, always the same.
func Percentile(member string) int64 {
	sum := sha256.Sum256([]byte("rollout/" + member))
	return int64(binary.BigEndian.Uint64(sum[:8]) % 100)
}

// RolledOut is the newest version that is for a percentage of the members and
// no place in particular, and how many that are; nil when none is.
func (tx *Tx) RolledOut() (*Version, int64, error) {
	c, err := tx.current()
	if err != nil {
		return nil, 0, err
	}
	for _, p := range c.Parts {
		if p.Percent > 0 && len(p.Stores)+len(p.Regions) == 0 {
			v, err := tx.Version(p.Version)
			return v, p.Percent, err
		}
	}
	return nil, 0, nil
}

// TermsOf are the terms of one version.
func (tx *Tx) TermsOf(version int64) (*loyalty.Terms, error) {
	name := fmt.Sprint(tx.program, "#", version)
	if t, ok := tx.store.terms.Load(name); ok {
		return t.(*loyalty.Terms), nil
	}
	v, err := tx.Version(version)
	if err != nil {
		return nil, err
	}
	doc, err := program.Parse(v.Doc, nil)
	if err != nil {
		return nil, fmt.Errorf("stored program version %d: %w", version, err)
	}
	t, err := doc.Compile(version, tx.store.Expressions)
	if err != nil {
		return nil, fmt.Errorf("stored program version %d: %w", version, err)
	}
	tx.store.terms.Store(name, t)
	return t, nil
}

// Version reads one published document. Missing when there is none.
func (tx *Tx) Version(n int64) (*Version, error) {
	v, err := get[Version](tx, versionKey(tx.program, n))
	if v == nil && err == nil {
		err = loyalty.NotFound("program version")
	}
	return v, err
}

// CurrentVersion reads the document in force.
func (tx *Tx) CurrentVersion() (*Version, error) {
	c, err := tx.current()
	if err != nil {
		return nil, err
	}
	return tx.Version(c.Version)
}

// Publish makes doc the next version. Refused with currency_settled when
// points exist in another currency.
func (tx *Tx) Publish(doc program.Document, raw []byte, now time.Time) (*Version, error) {
	if _, err := tx.current(); err != nil {
		var none *loyalty.Error
		if !errors.As(err, &none) || none.Kind != loyalty.Missing {
			return nil, err
		}
	}
	c := Current{}
	if r := tx.items[programKey(tx.program)]; r.old.Version > 0 {
		had, err := Decode[Current](r.old)
		if err != nil {
			return nil, err
		}
		c = *had
	}
	if err := tx.fits(&c, &doc); err != nil {
		return nil, err
	}
	c.Base = c.everyones()
	c.Version++
	if doc.Rollout == nil {
		c.Base, c.Parts = c.Version, nil
	} else {
		c.Parts = append([]Part{{Version: c.Version, Stores: doc.Rollout.Stores, Regions: doc.Rollout.Regions, Percent: doc.Rollout.Percent}}, c.Parts...)
	}
	v := &Version{Number: c.Version, At: now.Unix(), Doc: raw}
	tx.put(programKey(tx.program), encode(c))
	tx.put(versionKey(tx.program, c.Version), encode(v))
	return v, tx.enlistProgram()
}

// programsPK is the list of all programs, for what is done for each of them.
const programsPK = "PROGRAMS"

func (tx *Tx) enlistProgram() error {
	k := Key{programsPK, tx.program}
	r, err := tx.item(k)
	if err == nil && r.old.Version == 0 {
		tx.put(k, nil)
	}
	return err
}

// Programs are the ids of all programs that ever published a version.
func (s *Store) Programs(ctx context.Context) ([]string, error) {
	var out []string
	for after := ""; ; {
		page, err := s.Engine.Query(ctx, Query{PK: programsPK, After: after, Limit: MaxPage, Consistent: true})
		if err != nil {
			return nil, err
		}
		for _, it := range page.Items {
			out = append(out, it.SK)
		}
		if after = page.Cursor; after == "" {
			return out, nil
		}
	}
}

// fits tells why a document cannot be the version after c.
func (tx *Tx) fits(c *Current, doc *program.Document) error {
	if part := doc.Rollout != nil && c.Version > 0; c.InUse || part {
		t, err := tx.TermsOf(c.everyones())
		if err != nil {
			return err
		}
		if t.Currency != doc.Currency {
			why := "points exist in " + t.Currency
			if !c.InUse {
				why = "those whom it is not for have " + t.Currency
			}
			return &loyalty.Error{
				Kind: loyalty.Refused, Code: "currency_settled", Detail: "the currency cannot change once points exist, nor for a part of the program",
				Details: map[string]any{"path": "/currency", "value": doc.Currency, "reason": why},
			}
		}
	}
	if doc.Rollout != nil && c.Version == 0 {
		return &loyalty.Error{
			Kind: loyalty.Refused, Code: "nothing_to_roll_out_from", Detail: "the first version of a program is for all of it",
			Details: map[string]any{"path": "/rollout", "value": "", "reason": "there is no version for those whom it is not for"},
		}
	}
	return nil
}

// settleCurrency notes with the program's first points that they exist. It
// is part of their transaction, so that no currency can change beneath them.
func (tx *Tx) settleCurrency() error {
	c, err := tx.current()
	if err != nil || c.InUse {
		return err
	}
	c.InUse = true
	tx.put(programKey(tx.program), encode(c))
	return nil
}
