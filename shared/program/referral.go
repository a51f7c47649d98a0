package program

import (
	"slices"
	"strconv"

	"regulars/shared/loyalty"
	"regulars/shared/strict"
)

// Referral is what members and their friends get for each other.
type Referral struct {
	Advocate []Rung  `json:"advocate,omitempty"` // a ladder: from a rank, or from a revenue on
	Friend   *Gift   `json:"friend,omitempty"`
	Minimum  int64   `json:"minimum"` // of the friend's order, minor units
	Hold     string  `json:"hold"`    // ISO 8601
	Window   string  `json:"window"`  // ISO 8601
	Limit    *Limit  `json:"limit,omitempty"`
	Budget   int64   `json:"budget,omitempty"` // points
	Fraud    Fraud   `json:"fraud"`
	Network  Network `json:"network"`
	Invite   *Invite `json:"invite,omitempty"`
}

// UnmarshalJSON fills in defaults.
func (r *Referral) UnmarshalJSON(b []byte) error {
	type plain Referral
	p := plain{
		Hold: "P14D", Window: "P30D", Network: Network{Depth: 3, Decay: "0.5"},
		Fraud: Fraud{PerIP: Velocity{10, "P7D"}, PerAdvocate: Velocity{50, "P1D"}, Household: review, Disposable: review},
	}
	if err := strict.Decode(b, &p); err != nil {
		return err
	}
	*r = Referral(p)
	return nil
}

// Gift is points, or a voucher for a reward, or both.
type Gift struct {
	Points int64  `json:"points,omitempty"`
	Reward string `json:"reward,omitempty"`
}

// Rung is what an advocate gets from a rank, or from a revenue of the friends, on.
type Rung struct {
	Rank    int64 `json:"rank,omitempty"`
	Revenue int64 `json:"revenue,omitempty"` // minor units
	Gift
}

// Fraud says which friends people look at first.
type Fraud struct {
	PerIP       Velocity `json:"per_ip"`
	PerAdvocate Velocity `json:"per_advocate"`
	Household   string   `json:"household"`  // review | allow
	Disposable  string   `json:"disposable"` // review | allow
}

// Velocity is so many other friends within a time; 0 friends: never.
type Velocity struct {
	Friends int64  `json:"friends"`
	Per     string `json:"per"` // ISO 8601
}

// Network says how far the friends of friends count for a member.
type Network struct {
	Depth int64  `json:"depth"` // generations
	Decay string `json:"decay"` // decimal, 0 to 1
}

// Invite says which members are asked to bring friends.
type Invite struct {
	Orders    int64  `json:"orders"`
	Feedback  string `json:"feedback"` // type of the activity
	Field     string `json:"field"`    // of its data
	From      int64  `json:"from"`
	Complaint string `json:"complaint"` // type of the activity that opens one
	Answered  string `json:"answered"`
	Again     string `json:"again"` // ISO 8601
}

// UnmarshalJSON fills in defaults.
func (v *Invite) UnmarshalJSON(b []byte) error {
	type plain Invite
	p := plain{Orders: 2, Feedback: "feedback", Field: "score", From: 9, Complaint: "complaint_opened", Answered: "complaint_resolved", Again: "P6M"}
	if err := strict.Decode(b, &p); err != nil {
		return err
	}
	*v = Invite(p)
	return nil
}

const (
	review = "review"
	allow  = "allow"
)

// referral compiles what brings friends.
func (d *Document) referral(c *checker, t *loyalty.Terms) {
	r := d.Referral
	if r == nil {
		return
	}
	out := &loyalty.ReferralTerms{Minimum: r.Minimum, Hold: c.period("/referral/hold", r.Hold), Window: c.period("/referral/window", r.Window), Budget: r.Budget}
	c.between("/referral/minimum", r.Minimum, 0, maxAmount)
	c.between("/referral/budget", r.Budget, 0, loyalty.MaxPoints)
	if out.Window.IsZero() {
		c.refuse("/referral/window", r.Window, "must be longer than nothing")
	}
	c.number("/referral/advocate", len(r.Advocate), 0, 20)
	for i, x := range r.Advocate {
		path := "/referral/advocate/" + strconv.Itoa(i)
		c.between(path+"/rank", x.Rank, 0, maxPoints)
		c.between(path+"/revenue", x.Revenue, 0, maxAmount)
		switch {
		case x.Rank > 0 && x.Revenue > 0, i > 0 && (x.Rank > 0) != (r.Advocate[0].Rank > 0):
			c.refuse(path, x.Rank, "a ladder is by rank or by revenue, not by both")
		case i > 0 && x.Rank <= r.Advocate[i-1].Rank && x.Revenue <= r.Advocate[i-1].Revenue:
			c.refuse(path, max(x.Rank, x.Revenue), "must be above the rung before it")
		}
		out.Advocate = append(out.Advocate, loyalty.Rung{Rank: x.Rank, Revenue: x.Revenue, Gift: d.gift(c, path, &x.Gift)})
	}
	if r.Friend != nil {
		out.Friend = d.gift(c, "/referral/friend", r.Friend)
	}
	if len(r.Advocate) == 0 && r.Friend == nil {
		c.refuse("/referral", "{}", "must give the advocate or the friend something")
	}
	out.Limit = c.limit("/referral/limit", r.Limit)
	out.Fraud = loyalty.Fraud{
		PerIP: c.velocity("/referral/fraud/per_ip", r.Fraud.PerIP), PerAdvocate: c.velocity("/referral/fraud/per_advocate", r.Fraud.PerAdvocate),
		Household: r.Fraud.Household == review, Disposable: r.Fraud.Disposable == review,
	}
	c.oneOf("/referral/fraud/household", r.Fraud.Household, review, allow)
	c.oneOf("/referral/fraud/disposable", r.Fraud.Disposable, review, allow)
	c.between("/referral/network/depth", r.Network.Depth, 1, 10)
	out.Network = loyalty.Network{Depth: r.Network.Depth, Decay: c.ratio("/referral/network/decay", r.Network.Decay, 0, 1)}
	out.Invite = r.Invite.compile(c)
	t.Referral = out
}

func (v *Invite) compile(c *checker) *loyalty.Invite {
	if v == nil {
		return nil
	}
	const path = "/referral/invite"
	c.between(path+"/orders", v.Orders, 1, maxPoints)
	c.between(path+"/from", v.From, 1, maxPoints)
	for _, x := range [][2]string{{"/feedback", v.Feedback}, {"/field", v.Field}} {
		if !ruleID.MatchString(x[1]) {
			c.refuse(path+x[0], x[1], "must be 1 to 40 of a-z, 0-9, _ and -")
		}
	}
	for _, x := range [][2]string{{"/complaint", v.Complaint}, {"/answered", v.Answered}} {
		if x[1] != "" && !ruleID.MatchString(x[1]) {
			c.refuse(path+x[0], x[1], "must be 1 to 40 of a-z, 0-9, _ and -")
		}
	}
	return &loyalty.Invite{
		Orders: v.Orders, Feedback: v.Feedback, Field: v.Field, From: v.From, Complaint: v.Complaint, Answered: v.Answered, Again: c.period(path+"/again", v.Again),
	}
}

func (d *Document) gift(c *checker, path string, g *Gift) loyalty.Gift {
	c.between(path+"/points", g.Points, 0, maxPoints)
	d.reward(c, path+"/reward", g.Reward, false)
	if g.Points == 0 && g.Reward == "" {
		c.refuse(path, "{}", "must give points or a reward")
	}
	return loyalty.Gift{Points: g.Points, Reward: g.Reward}
}

func (c *checker) velocity(path string, v Velocity) loyalty.Velocity {
	c.between(path+"/friends", v.Friends, 0, maxPoints)
	return loyalty.Velocity{Friends: v.Friends, Per: c.period(path+"/per", v.Per)}
}

// ParityViolation is the code of a refusal that can be acknowledged.
const ParityViolation = "offer.parity_violation"

// parity refuses a document whose best offer for new customers is better than
// any that those who are customers already can get (C42), unless its author
// acknowledges that. Compared are points that are given as such: to a friend
// and by rules for the first order on one side, to an advocate and by rules
// and achievements for everyone on the other. A voucher has no price here; one
// for new customers asks for one that others can get.
func (d *Document) parity() error {
	if slices.Contains(d.Acknowledge, ParityViolation) || d.Referral == nil || d.Referral.Friend == nil {
		return nil
	}
	offer := *d.Referral.Friend
	best, voucher := int64(0), false
	for _, x := range d.Referral.Advocate {
		best, voucher = max(best, x.Points), voucher || x.Reward != ""
	}
	for _, r := range d.Earning.Rules {
		if r.Where == nil || r.Where.OrderNumber == nil || r.Where.OrderNumber.To == 0 || r.Where.OrderNumber.To > 1 {
			best = max(best, r.Points)
			voucher = voucher || r.PunchCard != nil
		}
	}
	for _, a := range d.Achievements {
		best, voucher = max(best, a.Points), voucher || a.Reward != ""
	}
	if offer.Points <= best && (offer.Reward == "" || voucher) {
		return nil
	}
	return &loyalty.Error{
		Kind: loyalty.Refused, Code: ParityViolation,
		Detail:  "a friend who is new would get more than any existing customer can: give advocates as much, or acknowledge it with acknowledge: [" + ParityViolation + "]",
		Details: map[string]any{"path": "/referral/friend", "points": offer.Points, "best_for_existing": best},
	}
}
