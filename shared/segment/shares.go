package segment

import (
	"cmp"
	"slices"
)

// A Key ranks members by what they spent in the window. Of equal spends the earlier first
// purchase ranks higher, then the lower id (SC16): no two members are equal.
type Key struct {
	Spent int64  `json:"spent"`
	First int32  `json:"first"`
	ID    string `json:"id"`
}

// Key of a member: false when she spent nothing in the window, and so is in no share.
func (m *Member) Key() (Key, bool) {
	return Key{m.WindowSpent, m.First, m.ID}, m.WindowSpent > 0
}

// Compare is negative when k ranks above o.
func (k Key) Compare(o Key) int {
	return cmp.Or(cmp.Compare(o.Spent, k.Spent), cmp.Compare(k.First, o.First), cmp.Compare(k.ID, o.ID))
}

// ShareSizes of n members who spent: those of the top 20 %, and of the next 40 %. The borders
// are at n·20/100 and n·60/100, each rounded half up; of anyone at all, one is at the top.
func ShareSizes(n int64) (top, next int64) {
	if n <= 0 {
		return 0, 0
	}
	top = max((n*20+50)/100, 1)
	return top, max((n*60+50)/100, top) - top
}

// A Part is a share of the members who spent, and what they spent in the window.
type Part struct {
	Members int64 `json:"members"`
	Spent   int64 `json:"spent"`          // minor units; Percent makes it a share
	Last    *Key  `json:"last,omitempty"` // of its members; none in an empty part and in the rest
}

// Shares of the members who spent: the few who bring the most, the neglected next, and
// the rest.
type Shares struct {
	Top  Part `json:"top_20"`
	Next Part `json:"next_40"`
	Rest Part `json:"rest"`
}

// Of a member: Top20, Next40, or none.
func (s *Shares) Of(m *Member) Groups {
	k, spent := m.Key()
	switch {
	case spent && s.Top.Last != nil && k.Compare(*s.Top.Last) <= 0:
		return Top20
	case spent && s.Next.Last != nil && k.Compare(*s.Next.Last) <= 0:
		return Next40
	}
	return 0
}

// ShareRanks are the ranks of spend that a search must find for the shares of n members.
func ShareRanks(n int64) (ranks []int64) {
	top, next := ShareSizes(n)
	if top > 0 {
		ranks = append(ranks, n-top+1)
	}
	if next > 0 {
		ranks = append(ranks, n-top-next+1)
	}
	return ranks
}

// Ties are the last pass to the shares: the search has found at what spend a share ends,
// and so how many of the members who spent just that are still in it. Which ones, their
// first purchases and ids decide. Every shard adds its members to a copy; the copies
// merge.
type Ties struct {
	Shares Shares `json:"shares"` // all but the keys
	Top    Tie    `json:"top"`
	Next   Tie    `json:"next"`
}

// A Tie holds the highest ranking members of equal spend.
type Tie struct {
	Spent int64 `json:"spent"`
	Take  int64 `json:"take"` // how many of them are in the share
	Keys  []Key `json:"keys,omitempty"`
}

// NewTies of a search over the window's spend of all members who spent, that has found
// ShareRanks.
func NewTies(s *Search) *Ties {
	top, next := ShareSizes(s.Count)
	t := &Ties{}
	upTo := func(k int64, tie *Tie) (spent int64) { // of the k members who spent the most
		r := s.Rank(s.Count - k + 1)
		*tie = Tie{Spent: r.Value, Take: k - (s.Count - r.Below - r.Equal)}
		return s.Sum - r.Sum + r.Value
	}
	if top > 0 {
		t.Shares.Top = Part{Members: top, Spent: upTo(top, &t.Top)}
	}
	if next > 0 {
		t.Shares.Next = Part{Members: next, Spent: upTo(top+next, &t.Next) - t.Shares.Top.Spent}
	}
	t.Shares.Rest = Part{Members: s.Count - top - next, Spent: s.Sum - t.Shares.Top.Spent - t.Shares.Next.Spent}
	return t
}

// Add a member of a shard. Shards keep no more keys than twice what a share takes.
func (t *Ties) Add(m *Member) {
	if k, spent := m.Key(); spent {
		t.Top.add(k)
		t.Next.add(k)
	}
}

func (t *Tie) add(keys ...Key) {
	for _, k := range keys {
		if k.Spent == t.Spent {
			t.Keys = append(t.Keys, k)
		}
	}
	if int64(len(t.Keys)) > 2*t.Take+64 {
		t.cut()
	}
}

// cut keeps those that are in the share.
func (t *Tie) cut() {
	slices.SortFunc(t.Keys, Key.Compare)
	t.Keys = t.Keys[:min(int64(len(t.Keys)), t.Take)]
}

// Merge what another shard added.
func (t *Ties) Merge(other *Ties) {
	t.Top.add(other.Top.Keys...)
	t.Next.add(other.Next.Keys...)
}

// Done gives the shares when all members were added.
func (t *Ties) Done() Shares {
	s := t.Shares
	s.Top.Last, s.Next.Last = t.Top.last(), t.Next.last()
	return s
}

func (t *Tie) last() *Key {
	t.cut()
	if len(t.Keys) == 0 {
		return nil
	}
	return &t.Keys[len(t.Keys)-1]
}

// SharesOf members who are all in memory.
func SharesOf(members []Member) (Shares, error) {
	var spends []int64
	for i := range members {
		if k, spent := members[i].Key(); spent {
			spends = append(spends, k.Spent)
		}
	}
	s, err := Ranks(spends, ShareRanks(int64(len(spends)))...)
	if err != nil {
		return Shares{}, err
	}
	t := NewTies(s)
	for i := range members {
		t.Add(&members[i])
	}
	return t.Done(), nil
}
