package segment

// Member is what is known of a member's purchases on the day of a run. Days are
// local days since 1970, 0 for none; a purchase day is a day with at least one
// order that still counts. Money is in minor units, net of what came back.
type Member struct {
	ID                  string
	First, Second, Last int32 // purchase days
	Days                int64 // distinct purchase days, ever
	Orders, Spent       int64 // ever
	FirstSpent          int64 // spent on the first purchase day, which Gamma-Gamma leaves out

	WindowDays, WindowOrders, WindowSpent int64 // in the window of the run: twelve whole months and this one
	Recent, Before                        int64 // spent in the last three whole months, and in the three before

	Stores int // distinct stores, ever
}
