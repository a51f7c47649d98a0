package table

import (
	"context"
	"fmt"
	"time"

	"regulars/shared/loyalty"
)

// Import is a file of history that is taken in: what was asked for, how far
// the work is, what became of its rows. It is written in the transaction of
// each row, so it is true whenever the work is cut off.
type Import struct {
	ID     string       `cbor:"1,keyasint"` // without prefix
	Kind   string       `cbor:"2,keyasint"` // orders, members or balances
	Format string       `cbor:"3,keyasint"` // ndjson or csv
	Source string       `cbor:"4,keyasint,omitempty"`
	At     int64        `cbor:"5,keyasint"` // when it was asked for, unix seconds
	Status ImportStatus `cbor:"6,keyasint"`
	Why    *Refusal     `cbor:"7,keyasint,omitempty"` // it failed

	Tag     string   `cbor:"8,keyasint,omitempty"`  // of the file's content when the work began
	Size    int64    `cbor:"9,keyasint,omitempty"`  // bytes of the file
	Offset  int64    `cbor:"10,keyasint,omitempty"` // bytes that are done
	Line    int64    `cbor:"11,keyasint,omitempty"` // lines that are done
	Columns []string `cbor:"12,keyasint,omitempty"` // of a CSV file, from its first line
	Begun   int64    `cbor:"13,keyasint,omitempty"` // Offset at which a worker began last
	Begins  int64    `cbor:"14,keyasint,omitempty"` // how many workers in a row began there

	Tally `cbor:"15,keyasint"`
}

// Tally counts what became of the rows of an import.
type Tally struct {
	Applied   int64 `cbor:"1,keyasint,omitempty"`
	Duplicate int64 `cbor:"2,keyasint,omitempty"`
	Stale     int64 `cbor:"3,keyasint,omitempty"`
	Ignored   int64 `cbor:"4,keyasint,omitempty"`
	Refused   int64 `cbor:"5,keyasint,omitempty"`
	Members   int64 `cbor:"6,keyasint,omitempty"`  // made by it
	Before    int64 `cbor:"7,keyasint,omitempty"`  // points: what the rows' orders were worth, or their balances had opened, before
	After     int64 `cbor:"8,keyasint,omitempty"`  // and after
	Stated    int64 `cbor:"9,keyasint,omitempty"`  // points that the rows state, of balances
	Withheld  int64 `cbor:"10,keyasint,omitempty"` // of these, on rows that were refused
}

// Rows is how many rows were read.
func (t *Tally) Rows() int64 { return t.Applied + t.Duplicate + t.Stale + t.Ignored + t.Refused }

// ImportStatus is how far an import has come.
type ImportStatus string

// The states of an import. One that is done or failed is never worked on again.
const (
	ImportWaiting ImportStatus = "waiting" // for its file
	ImportRunning ImportStatus = "running"
	ImportDone    ImportStatus = "done"
	ImportFailed  ImportStatus = "failed"
)

// Open tells whether there is something left to do.
func (j *Import) Open() bool { return j.Status == ImportWaiting || j.Status == ImportRunning }

// Fail ends the import.
func (j *Import) Fail(why Refusal) { j.Status, j.Why = ImportFailed, &why }

// Refusal says why a row was not taken, and which.
type Refusal struct {
	Line   int64  `cbor:"1,keyasint,omitempty"`
	Code   string `cbor:"2,keyasint"`
	Path   string `cbor:"3,keyasint,omitempty"`
	Value  string `cbor:"4,keyasint,omitempty"`
	Reason string `cbor:"5,keyasint"`
}

// Opening is the proof that a balance of another system was opened. It does
// not say whose: an erased person's is still known, and leads to nobody.
type Opening struct {
	Points int64  `cbor:"1,keyasint"`
	At     int64  `cbor:"2,keyasint"` // unix seconds
	Import string `cbor:"3,keyasint"`
}

// ImportDays is how long the file of an import is kept, and with it what is
// kept of its rows: both may hold personal data. So is an import whose file
// never came.
const ImportDays = 30

const importsVanish = ImportDays * 24 * 60 * 60 // seconds

// openShard is the partition of the due index that lists what is to be worked on.
const openShard = "IMPORT"

func importPK(program, id string) string { return program + "#IMPORT#" + id }
func importKey(program, id string) Key   { return Key{importPK(program, id), "IMPORT"} }
func refusalKey(program, id string, line int64) Key {
	return Key{importPK(program, id), fmt.Sprintf("REFUSED#%012d", line)}
}

func openingKey(program, source, of string) Key {
	return Key{program + "#OPENING#" + source + "#" + digest(of), "OPENING"}
}

// Import reads an import by its id without prefix, fresh. Missing when there
// is none.
func (tx *Tx) Import(id string) (*Import, error) {
	j, err := fresh[Import](tx, importKey(tx.program, id))
	if j == nil && err == nil {
		err = loyalty.NotFound("import")
	}
	return j, err
}

// PutImport writes an import.
func (tx *Tx) PutImport(j *Import) {
	tx.put(importKey(tx.program, j.ID), encode(j), func(it *Item) {
		it.Due = Due{}
		if j.Open() {
			it.Due = Due{Shard: openShard, At: time.Unix(j.At, 0).UTC().Format(time.RFC3339)}
		}
		if j.Status == ImportWaiting {
			it.Expires = j.At + importsVanish
		}
	})
}

// PutRefusal keeps why a row of an import was not taken.
func (tx *Tx) PutRefusal(j *Import, r Refusal) {
	tx.put(refusalKey(tx.program, j.ID, r.Line), encode(&r), func(it *Item) { it.Expires = j.At + importsVanish })
}

// Refusals are the rows that an import did not take and still tells of, by line.
func (tx *Tx) Refusals(id string, limit int) ([]Refusal, error) {
	page, err := tx.store.Engine.Query(tx.ctx, Query{PK: importPK(tx.program, id), Prefix: "REFUSED#", Limit: limit, Consistent: true})
	if err != nil {
		return nil, err
	}
	out := []Refusal{}
	for _, it := range page.Items {
		r, err := Decode[Refusal](it)
		if err != nil {
			return nil, err
		}
		out = append(out, *r)
	}
	return out, nil
}

// OpenImports reads what imports are to be worked on, oldest first, as pairs of
// program and id.
func (s *Store) OpenImports(ctx context.Context) (open [][2]string, err error) {
	for cursor := ""; ; {
		keys, next, err := s.Engine.DueBefore(ctx, openShard, "9999", cursor, 100)
		if err != nil {
			return nil, err
		}
		for _, k := range keys {
			program := ProgramOf(k)
			open = append(open, [2]string{program, k.PK[len(importPK(program, "")):]})
		}
		if cursor = next; cursor == "" {
			return open, nil
		}
	}
}

// OpeningOf is by what a row names the member whose balance it opens: one of
// these, and perhaps a key of its own.
type OpeningOf struct {
	Key, Member, External, Email, Phone string
}

// natural is what stays the same when the row is sent again.
func (o OpeningOf) natural() string {
	switch {
	case o.Key != "":
		return "key " + o.Key
	case o.Member != "":
		return "member " + o.Member
	case o.External != "":
		return "external " + o.External
	case o.Email != "":
		return "email " + normalEmail(o.Email)
	}
	return "phone " + normalPhone(o.Phone)
}

// Opening reads whether a source's balance was opened before; nil when not.
func (tx *Tx) Opening(source string, of OpeningOf) (*Opening, error) {
	return fresh[Opening](tx, openingKey(tx.program, source, of.natural()))
}

// PutOpening writes that a balance was opened, for ever.
func (tx *Tx) PutOpening(source string, of OpeningOf, o Opening) {
	tx.put(openingKey(tx.program, source, of.natural()), encode(&o))
}

// Opener is the account of the member that a row names. An e-mail or phone has
// to be marked verified here. Missing when nobody is known by it.
func (tx *Tx) Opener(source string, of OpeningOf) (*loyalty.Account, error) {
	if of.Member != "" {
		return tx.HolderOf(of.Member)
	}
	known, err := tx.Match(source, &loyalty.Customer{ExternalID: of.External, Email: of.Email, EmailVerified: true, Phone: of.Phone, PhoneVerified: true})
	if err != nil {
		return nil, err
	}
	if known == "" {
		return nil, loyalty.NotFound("member")
	}
	return tx.Holder(known)
}
