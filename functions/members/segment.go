package members

import (
	"context"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"

	"regulars/shared/loyalty"
	"regulars/shared/table"
	"regulars/shared/web"
)

// lookedAt is how many members a page of a segment looks at, at most: a page
// of a rare segment may be short, even empty, and yet not be the last.
const lookedAt = 4000

// members lists who is in a segment, a page at a time, in no order that means
// anything: it walks all members by the hash of their ids, half a read unit
// each, and reads those whom it shows. An index by segment would cost every
// change a write, where a list is read now and then.
func (h *Handler) members(ctx context.Context, r *web.Request) (web.Answer, error) {
	limit, err := r.Limit()
	if err != nil {
		return web.Answer{}, err
	}
	group, after, err := segmentCursor(r.URL.Query().Get("cursor"))
	if err != nil {
		return web.Answer{}, err
	}
	id := r.PathValue("id")
	if err := h.known(ctx, r.Program, id); err != nil {
		return web.Answer{}, err
	}
	bit := loyalty.SegmentBit(id)
	var found []string
	var glance loyalty.Glance
	for looked := 0; group < table.MemberGroups && len(found) < limit && looked < lookedAt; {
		n := min(limit-len(found), table.MaxSides)
		next, err := h.Gate.Store.SidesAfter(ctx, r.Program, group, after, n, func(member string, side []byte) error {
			looked++
			if err := glance.Read(side); err != nil {
				return err
			}
			in := glance.Shipped&bit != 0 || bit == 0 && slices.ContainsFunc(glance.Named, func(name []byte) bool { return string(name) == id })
			if in && !glance.Merged {
				found = append(found, member)
			}
			return nil
		})
		if err != nil {
			return web.Answer{}, err
		}
		if after = next; after == "" {
			group++
			looked++ // an empty group is a read too
		}
	}
	page := web.Page[Shape]{Data: []Shape{}}
	if page.HasMore = group < table.MemberGroups; page.HasMore {
		page.NextCursor = base64.RawURLEncoding.EncodeToString([]byte(strconv.Itoa(group) + " " + after))
	}
	for _, m := range found {
		if err := h.Gate.Store.View(ctx, r.Program, func(tx *table.Tx) error {
			a, err := tx.Account(m)
			if err != nil || a.Into != "" || !slices.Contains(a.Segments, id) { // no more
				return err
			}
			s, err := h.show(tx, a)
			if err == nil {
				page.Data = append(page.Data, s)
			}
			return err
		}); err != nil {
			return web.Answer{}, err
		}
	}
	return web.Answer{Body: page}, nil
}

// known refuses, as missing, a segment that is neither built in nor defined.
func (h *Handler) known(ctx context.Context, program, id string) error {
	if loyalty.SegmentBit(id) != 0 {
		return nil
	}
	if !loyalty.ValidID(id) {
		return loyalty.NotFound("segment")
	}
	return h.Gate.Store.View(ctx, program, func(tx *table.Tx) error {
		d, err := tx.DefinedSegment(id)
		if d == nil && err == nil {
			err = loyalty.NotFound("segment")
		}
		return err
	})
}

// segmentCursor is where a page left off: the group, and after whom in it.
func segmentCursor(s string) (group int, after string, err error) {
	if s == "" {
		return 0, "", nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(s)
	number, after, two := strings.Cut(string(raw), " ")
	if err == nil {
		group, err = strconv.Atoi(number)
	}
	_, member := loyalty.OwnID("mem_", "mem_"+after)
	if err != nil || !two || after != "" && !member || group < 0 || group >= table.MemberGroups {
		return 0, "", loyalty.Malformed("cursor", s, "is not a cursor that this list gave")
	}
	return group, after, nil
}
