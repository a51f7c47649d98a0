package main

import (
	"cmp"
	"math"
	"slices"
)

// segmentRun is a refresh of the segments of all members, as it is written down: all
// figures in one list, sorted.
type segmentRun struct {
	id       string
	today    string
	finished bool
	defined  []*definition // when it was planned
	depth    int           // generations of friends that count, each half as much as the one before

	seen map[int][]*member // by shard: the members as they were when they were read

	*borders                  // once all are read
	found    map[string]count // at its end
}

// borders are what a run judges members by.
type borders struct {
	former      string // the last day of who is former
	heavy       int64
	top, next   *place // who is the last of the share; nil: nobody is in it
	network     map[string]int64
	influential int64      // network value of who is an advocate with one friend; 0: none is worth anything
	rfm         [3][]int64 // cuts of recency, frequency and spend; nil: nobody ever bought
	buying      *buying    // nil: there is no model
}

// place is where a member stands among those who spent in the window: the more
// spent the higher, then the earlier first purchase, then the lower id.
type place struct {
	spent int64
	first string
	id    string
}

func (f *figures) place() place { return place{f.yearSpent, f.first, f.id} }

func (p place) compare(o place) int {
	return cmp.Or(cmp.Compare(o.spent, p.spent), cmp.Compare(p.first, o.first), cmp.Compare(p.id, o.id))
}

// buying are the parameters of BG/NBD, as the run fitted them: these the model
// takes from the run. What follows from them it says itself.
type buying struct{ R, Alpha, A, B float64 }

// active is the probability that a member still buys, by the last formula of
// Fader, Hardie and Lee (2008).
func (b *buying) active(f *figures) float64 {
	x := float64(f.days - 1)
	if x == 0 {
		return 1
	}
	last := daysBetween(f.first, f.last)
	tx, t := float64(last)/7, float64(max(last, f.since(f.first)))/7
	return 1 / (1 + b.A/(b.B+x-1)*math.Pow((b.Alpha+t)/(b.Alpha+tx), b.R+x))
}

// measure finds the borders in all that was read.
func (x *segmentRun) measure(fitted *buying) {
	b := &borders{former: lapsed(x.today), buying: fitted}
	x.borders = b
	var present, recency, frequency, spent []int64
	var places []place
	for _, m := range x.everyone() {
		f := m.figures(x.today)
		if f.days == 0 {
			continue
		}
		recency, frequency, spent = append(recency, f.since(f.last)), append(frequency, f.orders), append(spent, f.spent)
		if f.last > b.former {
			present = append(present, f.yearSpent)
		}
		if f.yearSpent > 0 {
			places = append(places, f.place())
		}
	}
	b.heavy = quantile(present, 1, 2)
	slices.SortFunc(places, place.compare)
	if n := len(places); n > 0 {
		top := max(1, (n*20+50)/100)
		next := max(top, (n*60+50)/100)
		b.top = &places[top-1]
		if next > top {
			b.next = &places[next-1]
		}
	}
	if recency != nil {
		for i, values := range [][]int64{recency, frequency, spent} {
			for k := range int64(4) {
				b.rfm[i] = append(b.rfm[i], quantile(values, k+1, 5))
			}
		}
	}
	x.connect()
}

// everyone who was read and is not another now, of all shards.
func (x *segmentRun) everyone() (all []*member) {
	for shard := range shards {
		for _, m := range x.seen[shard] {
			if m.into == "" {
				all = append(all, m)
			}
		}
	}
	return all
}

// quantile is that at k/of: of type 7, rounded up; 0 of nothing.
func quantile(values []int64, k, of int64) int64 {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	at := k * int64(len(values)-1)
	low, part := values[at/of], at%of
	if part == 0 {
		return low
	}
	return low + (part*(values[at/of+1]-low)+of-1)/of
}

// connect says what each member's network is worth: what those spent whom she
// brought, and half of what those did whom they brought, and so on.
func (x *segmentRun) connect() {
	into, by, worth := map[string]string{}, map[string]string{}, map[string][]int64{}
	for shard := range shards {
		for _, m := range x.seen[shard] {
			into[m.id] = m.into
		}
	}
	holder := func(id string) string {
		for into[id] != "" {
			id = into[id]
		}
		return id
	}
	all := x.everyone()
	for _, m := range all {
		if m.lead != nil {
			by[m.id] = holder(m.lead.advocate)
		}
	}
	for _, m := range all {
		spent := m.figures(x.today).spent
		for who, n := by[m.id], 0; who != "" && who != m.id && n < x.depth; who, n = by[who], n+1 {
			if worth[who] == nil {
				worth[who] = make([]int64, x.depth)
			}
			worth[who][n] += spent
		}
	}
	x.network = map[string]int64{}
	var values []int64
	for id, generations := range worth {
		sum, of := int64(0), int64(1)<<(x.depth-1)
		for n, spent := range generations {
			sum += spent * (of >> n)
		}
		if v := (2*sum + of) / (2 * of); v > 0 { // halves up
			x.network[id] = v
			values = append(values, v)
		}
	}
	if n := len(values); n > 0 {
		slices.Sort(values)
		x.influential = values[n-max(1, (n*20+50)/100)]
	}
}

// judge says which segments a member is in, in order of their names.
func (x *segmentRun) judge(m *member) []string {
	f := m.figures(x.today)
	in := x.shipped(f)
	own := []string{}
	rfm := x.borders.named(f)
	for _, d := range x.defined {
		if d.has(f, in, rfm) {
			own = append(own, d.id)
		}
	}
	in = append(in, own...)
	slices.Sort(in)
	return in
}

// shipped are the segments of a member that are the same in every program.
func (x *segmentRun) shipped(f *figures) (in []string) {
	be := func(name string, is bool) {
		if is {
			in = append(in, name)
		}
	}
	again := f.days >= 2
	regular, heavy, former := f.yearDays >= 4, f.yearSpent >= x.heavy, f.last <= x.former
	switch {
	case f.days == 0:
	case former:
		be("former", true)
	default:
		be("regular_heavy", regular && heavy)
		be("regular_light", regular && !heavy)
		be("infrequent_heavy", !regular && heavy)
		be("infrequent_light", !regular && !heavy)
	}
	top := f.yearSpent > 0 && x.top != nil && f.place().compare(*x.top) <= 0
	be("top_20", top)
	be("next_40", f.yearSpent > 0 && !top && x.next != nil && f.place().compare(*x.next) <= 0)
	be("declining", again && 2*f.recent < f.before)
	be("at_risk", again && x.gone(f))
	be("new", f.days == 1 && f.since(f.first) <= 30)
	be("repeat", again)
	be("multi_store", f.stores >= 2)
	be("birthday_month", f.born == int64(dayTime(numbered(f.today)).Month()))
	be("advocates", f.friends >= 3 || f.friends > 0 && x.influential > 0 && x.network[f.id] >= x.influential)
	return in
}

// gone tells whether a member who has repeated is more likely gone than not;
// without a model, whether she is away for more than twice her own mean gap.
func (x *segmentRun) gone(f *figures) bool {
	if x.buying != nil {
		return x.buying.active(f) < .5
	}
	return f.since(f.last)*(f.days-1) > 2*daysBetween(f.first, f.last)
}

// named is the name of a member's scores, of those names that definitions ask
// for: the best of all, and the worst.
func (b *borders) named(f *figures) string {
	if f.days == 0 || b.rfm[0] == nil {
		return ""
	}
	score := func(cuts []int64, v int64) (n int64) {
		n = 1
		for _, cut := range cuts {
			if v > cut {
				n++
			}
		}
		return n
	}
	recency, often, much := 6-score(b.rfm[0], f.since(f.last)), score(b.rfm[1], f.orders), score(b.rfm[2], f.spent)
	switch mean := (often + much + 1) / 2; {
	case recency == 5 && mean >= 4:
		return "champions"
	case recency == 1 && mean == 1:
		return "lost"
	}
	return "another"
}
