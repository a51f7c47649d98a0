package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"regulars/events"
	"regulars/shared/table"
)

// told is one event of a member's segments.
type told struct {
	number  int64 // of the change that it is of
	left    bool
	segment string
}

// checkSegments replays what the bus was told of segments, as whoever listens
// keeps them: nobody enters where she is or leaves where she is not, and in the
// end everybody is where her account says. It needs no model.
func (w *world) checkSegments(step int) {
	of, unknown := map[string][]told{}, map[string]bool{}
	for id := range w.announcer.exempt { // of changes that were set aside
		if rest, ok := strings.CutPrefix(id, "evt_segment_"); ok {
			member, _, _ := strings.Cut(rest, "_")
			unknown[member] = true
		}
	}
	for _, e := range w.announcer.told {
		if e.Type != events.SegmentEntered && e.Type != events.SegmentLeft {
			continue
		}
		var d events.Segment
		if err := json.Unmarshal(e.Data, &d); err != nil {
			w.violated(step, "event %s: %v", e.ID, err)
			return
		}
		member := strings.TrimPrefix(d.Member, "mem_")
		number, _, _ := strings.Cut(strings.TrimPrefix(e.ID, "evt_segment_"+member+"_"+d.Segment+"_"), "_")
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			w.violated(step, "event %s has no number", e.ID)
			return
		}
		of[member] = append(of[member], told{n, e.Type == events.SegmentLeft, d.Segment})
	}
	store := table.NewStore(w.base)
	for _, p := range w.programmes {
		if err := store.View(context.Background(), p.name, func(tx *table.Tx) error {
			for _, id := range p.people {
				a, err := tx.Account(id)
				if err != nil {
					return err
				}
				if unknown[id] {
					continue
				}
				in, err := replay(of[id])
				if err != nil {
					return fmt.Errorf("of %s is told: %w", id, err)
				}
				if is := slices.Sorted(slices.Values(a.Segments)); a.Into == "" && !slices.Equal(in, is) {
					return fmt.Errorf("by what is told %s is in %v, and is in %v", id, in, is)
				}
			}
			return nil
		}); err != nil {
			w.violated(step, "program %s: %v", p.name, err)
		}
	}
}

// replay is where the events of a member lead, in the order of their numbers:
// the bus may have taken some of them later than others.
func replay(list []told) (in []string, err error) {
	slices.SortStableFunc(list, func(a, b told) int { return cmp.Compare(a.number, b.number) })
	for _, e := range list {
		i, there := slices.BinarySearch(in, e.segment)
		switch {
		case there != e.left:
			return nil, fmt.Errorf("%s left=%v by change %d, when she was in %v", e.segment, e.left, e.number, in)
		case e.left:
			in = slices.Delete(in, i, i+1)
		default:
			in = slices.Insert(in, i, e.segment)
		}
	}
	return in, nil
}
