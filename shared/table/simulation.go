package table

import (
	"context"
	"iter"

	"regulars/shared/loyalty"
	"regulars/shared/program"
)

// Simulation is a run of a draft program over recorded history.
type Simulation struct {
	ID       string   `cbor:"1,keyasint"`
	Base     int64    `cbor:"2,keyasint"`           // program version that it is compared with
	Draft    []byte   `cbor:"3,keyasint"`           // JSON, defaults filled in
	Until    int64    `cbor:"4,keyasint"`           // the end of history, unix seconds
	Redeemed string   `cbor:"5,keyasint"`           // decimal
	Reach    int      `cbor:"6,keyasint"`           // months
	Members  []string `cbor:"7,keyasint,omitempty"` // only these; none: all
	At       int64    `cbor:"8,keyasint"`           // when it was asked for, unix seconds
	Stage    Stage    `cbor:"9,keyasint"`
	Reason   string   `cbor:"10,keyasint,omitempty"` // why it failed
	Report   []byte   `cbor:"11,keyasint,omitempty"` // JSON
}

// Stage is how far a run has come.
type Stage string

// The stages of a run.
const (
	Running Stage = "running"
	Done    Stage = "done"
	Failed  Stage = "failed"
)

func simulationKey(program, id string) Key { return Key{program + "#SIMULATION#" + id, "SIMULATION"} }

// Simulation reads a run. Missing when there is none.
func (tx *Tx) Simulation(id string) (*Simulation, error) {
	s, err := get[Simulation](tx, simulationKey(tx.program, id))
	if s == nil && err == nil {
		err = loyalty.NotFound("simulation")
	}
	return s, err
}

// PutSimulation writes a run that is new or was read in this transaction.
func (tx *Tx) PutSimulation(s *Simulation) { tx.put(simulationKey(tx.program, s.ID), encode(s)) }

// MayPublish tells why a document cannot become the next version, and answers
// the version that is for everyone now. Refused with currency_settled when
// points exist in another currency, and with nothing_to_roll_out_from.
func (tx *Tx) MayPublish(doc *program.Document) (int64, error) {
	c, err := tx.current()
	if err != nil {
		return 0, err
	}
	return c.everyones(), tx.fits(c, doc)
}

// OrdersOf walks the orders of a program in one of several segments, which
// may be walked at the same time, in no stated order.
func (s *Store) OrdersOf(ctx context.Context, program string, n, of int) iter.Seq2[*loyalty.Record, error] {
	return func(yield func(*loyalty.Record, error) bool) {
		walk := Segment{Prefix: program + "#ORDER#", SK: "ORDER", N: n, Of: of}
		for cursor := ""; ; {
			page, err := s.Engine.Segment(ctx, walk, cursor, MaxPage)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, it := range page.Items {
				rec, err := Decode[loyalty.Record](it)
				if !yield(rec, err) || err != nil {
					return
				}
			}
			if cursor = page.Cursor; cursor == "" {
				return
			}
		}
	}
}
