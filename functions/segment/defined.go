package segments

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"regulars/shared/loyalty"
	"regulars/shared/refresh"
	"regulars/shared/table"
	"regulars/shared/web"
)

// Segment is one as the API shows it.
type Segment struct {
	ID      string             `json:"id"`
	Name    string             `json:"name,omitempty"`
	BuiltIn bool               `json:"built_in"`
	Members *int64             `json:"members"` // when the newest run looked; null: none has
	Spent   *int64             `json:"spent"`   // by them in the year before, minor units
	At      *time.Time         `json:"at"`      // of that run
	List    *[]string          `json:"list,omitempty"`
	Where   *refresh.Condition `json:"where,omitempty"`
}

// counts are what the newest finished run found.
type counts struct {
	At     time.Time        `json:"at"`
	Groups map[string]int64 `json:"groups"`
	Spent  map[string]int64 `json:"spent"`
}

func newestCounts(tx *table.Tx) (*counts, error) {
	c, err := tx.Cuts()
	if c == nil || err != nil {
		return nil, err
	}
	r, err := tx.SegmentRun(c.Run)
	if err != nil {
		return nil, err
	}
	out := &counts{}
	return out, json.Unmarshal(r.Result, out)
}

func (c *counts) count(s *Segment) {
	if c == nil {
		return
	}
	if n, known := c.Groups[s.ID]; known {
		spent := c.Spent[s.ID]
		s.Members, s.Spent, s.At = &n, &spent, &c.At
	}
}

func (h *Handler) segments(ctx context.Context, r *web.Request) (web.Answer, error) {
	out := struct {
		Data []Segment `json:"data"`
	}{}
	err := h.Gate.Store.View(ctx, r.Program, func(tx *table.Tx) error {
		found, err := newestCounts(tx)
		if err != nil {
			return err
		}
		for _, id := range loyalty.SegmentNames(^uint32(0)) {
			s := Segment{ID: id, BuiltIn: true}
			found.count(&s)
			out.Data = append(out.Data, s)
		}
		own, err := defined(tx)
		for _, d := range own {
			s := Segment{ID: d.ID, Name: d.Name, Where: d.Where}
			found.count(&s)
			out.Data = append(out.Data, s)
		}
		return err
	})
	return web.Answer{Body: out}, err
}

func (h *Handler) segment(ctx context.Context, r *web.Request) (web.Answer, error) {
	var out Segment
	err := h.Gate.Store.View(ctx, r.Program, func(tx *table.Tx) (err error) { out, err = one(tx, r.PathValue("id")); return err })
	return web.Answer{Body: out}, err
}

// one segment, as it is shown. Missing when there is none.
func one(tx *table.Tx, id string) (Segment, error) {
	s := Segment{ID: id, BuiltIn: loyalty.SegmentBit(id) != 0}
	if !s.BuiltIn {
		if !loyalty.ValidID(id) {
			return s, loyalty.NotFound("segment")
		}
		raw, err := tx.DefinedSegment(id)
		if raw == nil && err == nil {
			err = loyalty.NotFound("segment")
		}
		if err != nil {
			return s, err
		}
		var d refresh.Definition
		if err := json.Unmarshal(raw, &d); err != nil {
			return s, fmt.Errorf("a segment that was kept: %w", err)
		}
		s.show(&d)
	}
	found, err := newestCounts(tx)
	found.count(&s)
	return s, err
}

func (s *Segment) show(d *refresh.Definition) {
	s.Name, s.Where = d.Name, d.Where
	if d.Where == nil {
		list := make([]string, len(d.Members))
		for i, m := range d.Members {
			list[i] = "mem_" + m
		}
		s.List = &list
	}
}

// Asked is the body of a definition: exactly one of list and where.
type Asked struct {
	Name  string             `json:"name"`
	List  *[]string          `json:"list"` // member ids
	Where *refresh.Condition `json:"where"`
}

// definition is what is asked for, and malformed when it cannot be.
func (q *Asked) definition(id string) (refresh.Definition, error) {
	d := refresh.Definition{ID: id, Name: q.Name, Where: q.Where}
	if q.List != nil {
		d.Members = []string{}
		for i, m := range *q.List {
			bare, ok := loyalty.OwnID("mem_", m)
			if !ok {
				return d, loyalty.Malformed(fmt.Sprintf("/list/%d", i), m, "is not the id of a member")
			}
			d.Members = append(d.Members, bare)
		}
		slices.Sort(d.Members)
		d.Members = slices.Compact(d.Members)
	}
	return d, d.Check()
}

// mostKept is how many bytes a definition may have, as it is kept: an item of
// the table has at most 400 KB. A list of refresh.MostListed has some 150 KB.
const mostKept = 256 << 10

// define writes a segment. Members are in it from the next run on.
func (h *Handler) define(ctx context.Context, r *web.Request) (web.Answer, error) {
	var q Asked
	if err := r.Decode(&q); err != nil {
		return web.Answer{}, err
	}
	id := r.PathValue("id")
	d, err := q.definition(id)
	if err != nil {
		return web.Answer{}, err
	}
	raw, err := json.Marshal(d)
	if err != nil {
		return web.Answer{}, err
	}
	if len(raw) > mostKept {
		return web.Answer{}, &loyalty.Error{Kind: loyalty.TooLarge, Code: "body_too_large", Detail: "a definition may have at most 256 KiB", Details: map[string]any{"most": mostKept}}
	}
	return h.Gate.Update(ctx, r, func(tx *table.Tx) (web.Answer, error) {
		if _, err := tx.DefinedSegment(id); err != nil {
			return web.Answer{}, err
		}
		all, err := defined(tx)
		if err != nil {
			return web.Answer{}, err
		}
		all = slices.DeleteFunc(all, func(x refresh.Definition) bool { return x.ID == id })
		if err := refresh.Fit(append(all, d)); err != nil {
			return web.Answer{}, err
		}
		tx.PutDefinedSegment(id, raw)
		out := Segment{ID: id}
		out.show(&d)
		found, err := newestCounts(tx)
		found.count(&out)
		return web.Answer{Body: out}, err
	})
}

// Preview is how many members a definition would have now.
type Preview struct {
	Members  int64 `json:"members"`  // of those looked at
	Of       int64 `json:"of"`       // looked at
	Complete bool  `json:"complete"` // all were. If not, those looked at are a random part
	Estimate int64 `json:"estimate"` // of all members; exact when complete
}

// previewFor is for how long a preview looks at members.
const previewFor = 15 * time.Second

// preview looks at members group by group until time is up. Groups are parts
// of all members by a hash of their ids, so a few say what all would.
func (h *Handler) preview(ctx context.Context, r *web.Request) (web.Answer, error) {
	var q Asked
	if err := r.Decode(&q); err != nil {
		return web.Answer{}, err
	}
	d, err := q.definition("preview")
	if err != nil {
		return web.Answer{}, err
	}
	var judge *refresh.Preview
	err = h.Gate.Store.View(ctx, r.Program, func(tx *table.Tx) error {
		t, err := tx.Terms()
		if err != nil {
			return err
		}
		c, err := cuts(tx)
		if err != nil {
			return err
		}
		judge, err = refresh.NewPreview(d, c, int32(loyalty.DayOf(h.Gate.Clock(), t.Zone)))
		return err
	})
	if err != nil {
		return web.Answer{}, err
	}
	began, groups := time.Now(), int64(0)
	for group := range table.MemberGroups {
		if group > 0 && time.Since(began) > previewFor {
			break
		}
		if err := h.Gate.Store.Sides(ctx, r.Program, group, judge.Attributes(), judge.Look); err != nil {
			return web.Answer{}, err
		}
		groups++
	}
	out := Preview{Members: judge.Members, Of: judge.Of, Complete: groups == table.MemberGroups, Estimate: judge.Members}
	if !out.Complete {
		out.Estimate = judge.Members * table.MemberGroups / groups
	}
	return web.Answer{Body: out}, nil
}
