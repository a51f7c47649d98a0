package segment

// RFM are scores from 1 to 5, 5 the best: how recently, how often, how much.
type RFM struct {
	R int `json:"r"`
	F int `json:"f"`
	M int `json:"m"`
}

// Cuts divide a population in fifths: the quantiles at 1/5 to 4/5 (type 7, rounded up).
type Cuts [4]int64

// fifth is 1 to 5: one more than the cuts that a value is above. Equal values are
// always in one fifth, the lowest of those that they fill.
func (c Cuts) fifth(v int64) int {
	n := 1
	for _, cut := range c {
		if v > cut {
			n++
		}
	}
	return n
}

// CutRanks are the ranks that the cuts of n values need.
func CutRanks(n int64) []int64 {
	var ranks []int64
	for i := range int64(4) {
		ranks = append(ranks, Quantile{i + 1, 5}.Ranks(n)...)
	}
	return ranks
}

// CutsOf a search that has found the CutRanks of its values.
func CutsOf(s *Search) Cuts {
	var c Cuts
	for i := range c {
		c[i] = Quantile{int64(i) + 1, 5}.Of(s)
	}
	return c
}

// RFMCuts are the cuts by which a run scores its members. They are of the members who
// have ever bought.
type RFMCuts struct {
	Recency   Cuts `json:"recency"`   // days since the last purchase
	Frequency Cuts `json:"frequency"` // orders, ever
	Monetary  Cuts `json:"monetary"`  // minor units, ever
}

// Score of values: a function of them and of the cuts only. A short time since
// the last purchase scores high. Orders and spend are those ever, so that
// members who bought much and stopped are not taken for ones who never bought much.
//
// The definition of the R package rfm (rsquaredacademy, rfm_table_order).
func (c *RFMCuts) Score(recency, frequency, monetary int64) RFM {
	return RFM{R: 6 - c.Recency.fifth(recency), F: c.Frequency.fifth(frequency), M: c.Monetary.fifth(monetary)}
}

// ScoreOf a member on a day; nothing of one who never bought.
func (c *RFMCuts) ScoreOf(m *Member, today int32) RFM {
	if m.Days == 0 {
		return RFM{}
	}
	return c.Score(int64(today-m.Last), m.Orders, m.Spent)
}

// rfmGroups names every score: down by R, from 5 to 1; across by the mean of F and M
// (halves up), from 1 to 5. The usual grid of R and F, with lost members apart.
var rfmGroups = [5][5]string{
	{"new_customers", "potential_loyalists", "potential_loyalists", "champions", "champions"},
	{"promising", "potential_loyalists", "potential_loyalists", "loyal", "loyal"},
	{"about_to_sleep", "about_to_sleep", "need_attention", "loyal", "loyal"},
	{"hibernating", "hibernating", "at_risk", "at_risk", "cant_lose"},
	{"lost", "hibernating", "at_risk", "at_risk", "cant_lose"},
}

// Group is the name of a score, "" of no score.
func (s RFM) Group() string {
	if s == (RFM{}) {
		return ""
	}
	return rfmGroups[5-s.R][(s.F+s.M+1)/2-1]
}
