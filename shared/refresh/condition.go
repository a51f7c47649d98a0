package refresh

import (
	"fmt"
	"regexp"
	"slices"
	"sort"

	"regulars/shared/loyalty"
	"regulars/shared/segment"
)

// Definition is a segment that a program defines itself: a list of members, or
// a condition. It has exactly one of the two.
type Definition struct {
	ID      string     `json:"id"`
	Name    string     `json:"name,omitempty"`
	Members []string   `json:"members,omitempty"` // ids without prefix
	Where   *Condition `json:"where,omitempty"`
}

// Condition is plain data, as the filters of rules are: all parts that are
// given have to hold, and of a list one has to be met.
type Condition struct {
	All []Condition `json:"all,omitempty"`
	Any []Condition `json:"any,omitempty"`
	Not *Condition  `json:"not,omitempty"`

	Segments   []string            `json:"segments,omitempty"` // shipped ones
	RFM        []string            `json:"rfm,omitempty"`      // names of RFM groups
	Attributes map[string][]string `json:"attributes,omitempty"`
	Statistics map[string]Between  `json:"statistics,omitempty"`
}

// Between has a statistic from a number to another, both included; nil is no bound.
type Between struct {
	From *int64 `json:"from,omitempty"`
	To   *int64 `json:"to,omitempty"`
}

// Bounds of definitions.
const (
	MostDefined = 50   // segments of a program
	MostListed  = 5000 // members of a list
	mostLeaves  = 64   // lists, and attributes that conditions name, of all definitions together
	mostDeep    = 8
	mostParts   = 100
)

// statistics by name. Money is in minor units; -1 is of one who never bought.
var statistics = map[string]func(r *row, today int32) int64{
	"orders":           func(r *row, _ int32) int64 { return r.m.Orders },
	"purchase_days":    func(r *row, _ int32) int64 { return r.m.Days },
	"spent":            func(r *row, _ int32) int64 { return r.m.Spent },
	"year_orders":      func(r *row, _ int32) int64 { return r.m.WindowOrders },
	"year_days":        func(r *row, _ int32) int64 { return r.m.WindowDays },
	"year_spent":       func(r *row, _ int32) int64 { return r.m.WindowSpent },
	"stores":           func(r *row, _ int32) int64 { return int64(r.m.Stores) },
	"friends":          func(r *row, _ int32) int64 { return r.friends },
	"points":           func(r *row, _ int32) int64 { return r.balance },
	"birth_month":      func(r *row, _ int32) int64 { return r.born },
	"days_since_last":  func(r *row, today int32) int64 { return since(r, today, r.m.Last) },
	"days_since_first": func(r *row, today int32) int64 { return since(r, today, r.m.First) },
}

func since(r *row, today, day int32) int64 {
	if r.m.Days == 0 {
		return -1
	}
	return int64(today - day)
}

var (
	segmentID = regexp.MustCompile(`^[a-z0-9_-]{1,40}$`)
	rfmNames  = []string{"champions", "loyal", "potential_loyalists", "new_customers", "promising", "need_attention", "about_to_sleep", "at_risk", "cant_lose", "hibernating", "lost"}
)

// Check tells why a definition cannot be: malformed, with the path and the reason.
func (d *Definition) Check() error {
	switch {
	case !segmentID.MatchString(d.ID):
		return loyalty.Malformed("/id", d.ID, "must be 1 to 40 of a-z, 0-9, _ and -")
	case loyalty.SegmentBit(d.ID) != 0:
		return loyalty.Malformed("/id", d.ID, "is the name of a segment that is built in")
	case len(d.Name) > 120:
		return loyalty.Malformed("/name", d.Name, "must be at most 120 bytes")
	case (d.Where != nil) == (d.Members != nil):
		return loyalty.Malformed("/", d.ID, "must have exactly one of list and where")
	case len(d.Members) > MostListed:
		return loyalty.Malformed("/list", fmt.Sprint(len(d.Members)), fmt.Sprintf("at most %d; more are an attribute and a condition", MostListed))
	}
	if d.Where == nil {
		return nil
	}
	parts := 0
	return d.Where.check("/where", 1, &parts)
}

func (c *Condition) check(path string, deep int, parts *int) error {
	if *parts++; deep > mostDeep || *parts > mostParts {
		return loyalty.Malformed(path, "", fmt.Sprintf("a condition has at most %d parts, %d deep", mostParts, mostDeep))
	}
	if c.All == nil && c.Any == nil && c.Not == nil && len(c.Segments)+len(c.RFM)+len(c.Attributes)+len(c.Statistics) == 0 {
		return loyalty.Malformed(path, "{}", "asks for nothing")
	}
	for name, list := range map[string][]Condition{"all": c.All, "any": c.Any} {
		if list != nil && len(list) == 0 {
			return loyalty.Malformed(path+"/"+name, "[]", "must name at least one")
		}
		for i := range list {
			if err := list[i].check(fmt.Sprintf("%s/%s/%d", path, name, i), deep+1, parts); err != nil {
				return err
			}
		}
	}
	if c.Not != nil {
		if err := c.Not.check(path+"/not", deep+1, parts); err != nil {
			return err
		}
	}
	for i, s := range c.Segments {
		if loyalty.SegmentBit(s) == 0 {
			return loyalty.Malformed(fmt.Sprintf("%s/segments/%d", path, i), s, "is no segment that is built in")
		}
	}
	for i, s := range c.RFM {
		if !slices.Contains(rfmNames, s) {
			return loyalty.Malformed(fmt.Sprintf("%s/rfm/%d", path, i), s, "is no name of an RFM group")
		}
	}
	for _, name := range sorted(c.Attributes) {
		if n := len(c.Attributes[name]); n == 0 || n > 100 {
			return loyalty.Malformed(path+"/attributes/"+name, fmt.Sprint(n), "must list 1 to 100 values")
		}
	}
	for _, name := range sorted(c.Statistics) {
		b := c.Statistics[name]
		switch {
		case statistics[name] == nil:
			return loyalty.Malformed(path+"/statistics/"+name, name, "is no statistic; there are: "+fmt.Sprint(sorted(statistics)))
		case b.From == nil && b.To == nil:
			return loyalty.Malformed(path+"/statistics/"+name, "{}", "must say from, to or both")
		}
		for side, n := range map[string]*int64{"from": b.From, "to": b.To} {
			if n != nil && (*n < -loyalty.MaxPoints || *n > loyalty.MaxPoints) {
				return loyalty.Malformed(path+"/statistics/"+name+"/"+side, fmt.Sprint(*n), "is more than anything is counted to")
			}
		}
	}
	return nil
}

func sorted[T any](m map[string]T) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// conditions are definitions ready to be asked.
type conditions struct {
	today  int32
	place  map[string]int // of a definition
	leaves []leaf
	nodes  []node // one for each definition
}

// leaf is what only the reading of a member can answer.
type leaf struct {
	list      map[string]bool // members
	attribute string
	values    []string
}

// node is a condition of a definition.
type node struct {
	all, any []node
	not      *node
	shipped  uint32 // one of these; 0 asks for none
	rfm      []string
	leaves   uint64 // all of these
	bounds   []bound
}

type bound struct {
	of   func(r *row, today int32) int64
	asks Between
}

// compile fails where there are more definitions or leaves than fit a row.
func compile(defined []Definition, today int32) (*conditions, error) {
	c := &conditions{today: today, place: map[string]int{}}
	if len(defined) > MostDefined {
		return nil, loyalty.Refuse("too_many_segments", fmt.Sprintf("a program defines at most %d segments", MostDefined))
	}
	for i, d := range defined {
		c.place[d.ID] = i
		if d.Where != nil {
			c.nodes = append(c.nodes, c.node(d.Where))
			continue
		}
		list := make(map[string]bool, len(d.Members))
		for _, m := range d.Members {
			list[m] = true
		}
		c.nodes = append(c.nodes, node{leaves: c.leaf(leaf{list: list})})
	}
	if len(c.leaves) > mostLeaves {
		return nil, loyalty.Refuse("too_many_segments", fmt.Sprintf("the lists and attributes of all segments are at most %d", mostLeaves))
	}
	return c, nil
}

// Fit tells why definitions cannot all be: too_many_segments.
func Fit(defined []Definition) error {
	_, err := compile(defined, 0)
	return err
}

func (c *conditions) leaf(l leaf) uint64 {
	c.leaves = append(c.leaves, l)
	return 1 << (len(c.leaves) - 1)
}

func (c *conditions) node(of *Condition) node {
	n := node{rfm: of.RFM}
	for i := range of.All {
		n.all = append(n.all, c.node(&of.All[i]))
	}
	for i := range of.Any {
		n.any = append(n.any, c.node(&of.Any[i]))
	}
	if of.Not != nil {
		not := c.node(of.Not)
		n.not = &not
	}
	for _, s := range of.Segments {
		n.shipped |= loyalty.SegmentBit(s)
	}
	for _, name := range sorted(of.Attributes) {
		n.leaves |= c.leaf(leaf{attribute: name, values: of.Attributes[name]})
	}
	for _, name := range sorted(of.Statistics) {
		n.bounds = append(n.bounds, bound{statistics[name], of.Statistics[name]})
	}
	return n
}

// attributes tells whether any condition asks for them.
func (c *conditions) attributes() bool {
	return slices.ContainsFunc(c.leaves, func(l leaf) bool { return l.attribute != "" })
}

// hold is which leaves do for a member.
func (c *conditions) hold(member string, attributes map[string]string) (held uint64) {
	for i := range c.leaves {
		l := &c.leaves[i]
		var holds bool
		if l.list != nil {
			holds = l.list[member]
		} else {
			v, has := attributes[l.attribute]
			holds = has && slices.Contains(l.values, v)
		}
		if holds {
			held |= 1 << i
		}
	}
	return held
}

// of is which definitions hold for a row that is in these shipped segments.
func (c *conditions) of(r *row, shipped uint32, rfm segment.RFM) (custom uint64) {
	for i := range c.nodes {
		if c.nodes[i].holds(r, c.today, shipped, rfm) {
			custom |= 1 << i
		}
	}
	return custom
}

func (n *node) holds(r *row, today int32, shipped uint32, rfm segment.RFM) bool {
	if n.shipped != 0 && n.shipped&shipped == 0 || n.leaves&^r.leaves != 0 || len(n.rfm) > 0 && !slices.Contains(n.rfm, rfm.Group()) {
		return false
	}
	for _, b := range n.bounds {
		v := b.of(r, today)
		if b.asks.From != nil && v < *b.asks.From || b.asks.To != nil && v > *b.asks.To {
			return false
		}
	}
	for i := range n.all {
		if !n.all[i].holds(r, today, shipped, rfm) {
			return false
		}
	}
	if n.not != nil && n.not.holds(r, today, shipped, rfm) {
		return false
	}
	return len(n.any) == 0 || slices.ContainsFunc(n.any, func(x node) bool { return x.holds(r, today, shipped, rfm) })
}
