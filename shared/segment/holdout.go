package segment

// Held is what a model knows of members, and how often they bought (all N of them
// together) in the weeks after, which it does not know.
type Held struct {
	Purchases
	Actual int64
}

// HoldoutBin is a group of members with as many purchases in the calibration.
type HoldoutBin struct {
	Purchases int64   `json:"purchases"` // after the first; in the last bin: or more
	Members   int64   `json:"members"`
	Predicted float64 `json:"predicted"` // purchases in the holdout, of all of them together
	Actual    int64   `json:"actual"`
}

// Holdout holds the forecast for the weeks of a holdout against what came: the usual check of
// such a model, by number of purchases in the calibration, 0 to 6 and 7 or more.
// Bins of shards are added up.
func Holdout(m BGNBD, held []Held, weeks float64) [8]HoldoutBin {
	var bins [8]HoldoutBin
	for i := range bins {
		bins[i].Purchases = int64(i)
	}
	var same Purchases // X and T of the last row: in order, many have the same
	var ahead float64  // of who has these and has not stopped
	for i, h := range held {
		if i == 0 || h.X != same.X || h.T != same.T {
			same, ahead = h.Purchases, m.future(h.X).in(weeks, m.Alpha+h.T)
		}
		b := &bins[min(h.X, 7)]
		b.Members += h.N
		b.Predicted += float64(h.N) * (ahead * m.Active(h.X, h.Tx, h.T))
		b.Actual += h.Actual
	}
	return bins
}
