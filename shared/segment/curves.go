package segment

import (
	"fmt"
	"slices"
)

// Decile is a tenth of the members who spent, the highest spend first.
type Decile struct {
	Members    int64  `json:"members"`
	Spent      int64  `json:"spent"`      // minor units
	Share      string `json:"share"`      // of all spend, in percent
	Cumulative string `json:"cumulative"` // with the deciles before: the 80/20 curve
}

// decileEnd is how many members are in the first d deciles: n·d/10, halves up.
func decileEnd(n int64, d int) int64 { return (n*int64(d) + 5) / 10 }

// DecileRanks are the ranks that the deciles of n values need.
func DecileRanks(n int64) []int64 {
	var ranks []int64
	for d := 1; d <= 10 && n > 0; d++ {
		if end := decileEnd(n, d); end > 0 {
			ranks = append(ranks, n-end+1)
		}
	}
	return ranks
}

// Deciles of a search that has found its DecileRanks. Members of equal spend may be in two
// deciles; what the deciles sum to is not touched by which of them.
func Deciles(s *Search) [10]Decile {
	var out [10]Decile
	var members, spent int64
	for i := range out {
		end, sum := decileEnd(s.Count, i+1), int64(0)
		if end > 0 {
			r := s.Rank(s.Count - end + 1)
			sum = s.Sum - r.Sum + r.Value
		}
		out[i] = Decile{Members: end - members, Spent: sum - spent, Share: Percent(sum-spent, s.Sum), Cumulative: Percent(sum, s.Sum)}
		members, spent = end, sum
	}
	return out
}

// Migration counts how members went from the group of one run to that of the next. The name
// "" is no group: of members who are new to the run, or gone.
type Migration struct {
	Groups []string  `json:"groups"` // in the order that they were given; rows and columns
	Counts [][]int64 `json:"counts"` // [from][to]
}

// NewMigration between groups that exclude each other.
func NewMigration(groups ...string) *Migration {
	m := &Migration{Groups: append([]string{""}, groups...)}
	for range m.Groups {
		m.Counts = append(m.Counts, make([]int64, len(m.Groups)))
	}
	return m
}

// Add a member. The error is of a group that is not of the matrix.
func (m *Migration) Add(from, to string) error {
	i, j := slices.Index(m.Groups, from), slices.Index(m.Groups, to)
	if i < 0 || j < 0 {
		return fmt.Errorf("no migration from %q to %q", from, to)
	}
	m.Counts[i][j]++
	return nil
}

// Merge what another shard counted between the same groups.
func (m *Migration) Merge(other *Migration) error {
	if !slices.Equal(m.Groups, other.Groups) {
		return fmt.Errorf("a migration between %q is not one between %q", other.Groups, m.Groups)
	}
	for i, row := range other.Counts {
		for j, n := range row {
			m.Counts[i][j] += n
		}
	}
	return nil
}

// Cohorts follow the members whose first purchase was in one month through the months since.
// Months count from January 1970 as 0.
type Cohorts struct {
	First  int32     `json:"first"`  // the month of the first cohort
	Active [][]int64 `json:"active"` // [cohort][months since]: its members who bought in that month; [0] are all
}

// NewCohorts from one month to another.
func NewCohorts(from, to int32) *Cohorts {
	c := &Cohorts{First: from}
	for month := from; month <= to; month++ {
		c.Active = append(c.Active, make([]int64, to-month+1))
	}
	return c
}

// Add a member by the months in which she bought: ascending, her first ever at
// the front. Months after the last are left out; a member from before the first cohort too.
func (c *Cohorts) Add(months ...int32) {
	if len(months) == 0 || months[0] < c.First || int(months[0]-c.First) >= len(c.Active) {
		return
	}
	row := c.Active[months[0]-c.First]
	for i, month := range months {
		if since := int(month - months[0]); since < len(row) && (i == 0 || month != months[i-1]) {
			row[since]++
		}
	}
}

// Merge what another shard counted over the same months.
func (c *Cohorts) Merge(other *Cohorts) error {
	if c.First != other.First || len(c.Active) != len(other.Active) {
		return fmt.Errorf("cohorts of other months")
	}
	for i, row := range other.Active {
		for j, n := range row {
			c.Active[i][j] += n
		}
	}
	return nil
}

// Month of a day, both since 1970.
func Month(day int32) int32 {
	y, m, _ := date(day)
	return int32((y-1970)*12 + int(m) - 1)
}

// Distribution counts members by what they are expected to be worth: under each bound,
// and from the last up. Bounds are minor units, ascending.
type Distribution struct {
	Bounds  []int64   `json:"bounds"`
	Members []int64   `json:"members"` // one more than Bounds
	Values  []float64 `json:"values"`  // expected of all of them together, in minor units
}

// NewDistribution by bounds of 1, 2 and 5 times the powers of ten that fit, from one
// unit of money (100 minor units) to a million.
func NewDistribution() *Distribution {
	d := &Distribution{}
	for power := int64(100); power <= 100_000_000; power *= 10 {
		d.Bounds = append(d.Bounds, power)
		if power < 100_000_000 {
			d.Bounds = append(d.Bounds, 2*power, 5*power)
		}
	}
	d.Members, d.Values = make([]int64, len(d.Bounds)+1), make([]float64, len(d.Bounds)+1)
	return d
}

// Add a member who is expected to be worth a value in minor units.
func (d *Distribution) Add(value float64) {
	i := 0
	for i < len(d.Bounds) && value >= float64(d.Bounds[i]) {
		i++
	}
	d.Members[i]++
	d.Values[i] += value
}

// Merge what another shard counted by the same bounds.
func (d *Distribution) Merge(other *Distribution) error {
	if !slices.Equal(d.Bounds, other.Bounds) {
		return fmt.Errorf("a distribution by other bounds")
	}
	for i := range d.Members {
		d.Members[i] += other.Members[i]
		d.Values[i] += other.Values[i]
	}
	return nil
}
