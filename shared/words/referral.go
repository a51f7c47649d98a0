package words

import (
	"fmt"
	"math/big"

	"regulars/shared/program"
)

// referral says what members get for bringing friends, and friends for coming.
func (w *writer) referral() {
	r := w.d.Referral
	if r == nil {
		return
	}
	const path = "/referral"
	w.section("referral", path, w.say("title.referral"))
	w.add(path, "friends.who")
	if r.Friend != nil {
		w.add(path+"/friend", "friends.friend", "gift", w.gift(r.Friend.Points, r.Friend.Reward))
	} else {
		w.add(path+"/friend", "friends.friend.none")
	}
	w.ladder(path+"/advocate", r.Advocate)
	if r.Minimum > 0 {
		w.add(path+"/minimum", "friends.minimum", "amount", w.amount(r.Minimum))
	} else {
		w.add(path+"/minimum", "friends.minimum.none")
	}
	w.add(path+"/window", "friends.window", "period", w.period(r.Window))
	w.add(path, "friends.first")
	w.unlessNone(path+"/hold", "friends.hold", r.Hold)
	w.add(path, "friends.back")
	if l := r.Limit; l != nil {
		w.limit(path+"/limit", "friends", l, "times", w.count("friend", l.Times), "gives", w.count("point", l.Points))
	}
	if r.Budget > 0 {
		w.add(path+"/budget", "friends.budget", "gives", w.count("point", r.Budget))
	}
	w.fraud(path+"/fraud", &r.Fraud)
	if n := r.Network; n.Depth == 1 {
		w.add(path+"/network", "friends.network.one")
	} else if decay, ok := new(big.Rat).SetString(n.Decay); ok {
		w.add(path+"/network", "friends.network", "n", w.number(n.Depth), "percent", w.percent(decay))
	}
	if r.Invite != nil {
		w.invite(path+"/invite", r.Invite)
	}
}

// gift is points, a voucher, or both.
func (w *writer) gift(points int64, reward string) string {
	switch {
	case reward == "":
		return w.count("point", points)
	case points == 0:
		return w.say("gift.reward", "reward", w.rewardName(reward))
	}
	return w.say("gift.both", "points", w.count("point", points), "reward", w.rewardName(reward))
}

// ladder says each rung with the friends that it is for: who reads one need
// not read the next.
func (w *writer) ladder(path string, rungs []program.Rung) {
	if len(rungs) == 0 {
		w.add(path, "friends.advocate.none")
		return
	}
	last := len(rungs) - 1
	byRevenue := rungs[last].Revenue > 0
	for i, x := range rungs {
		at, gift := fmt.Sprint(path, "/", i), w.gift(x.Points, x.Reward)
		switch {
		case byRevenue && x.Revenue > 0:
			w.add(at, "friends.revenue", "amount", w.amount(x.Revenue), "gift", gift)
		case byRevenue, i == last && x.Rank <= 1:
			w.add(at, "friends.each", "gift", gift)
		case i == last:
			w.add(at, "friends.rank.from", "from", w.number(x.Rank), "gift", gift)
		default:
			from, to := max(1, x.Rank), rungs[i+1].Rank-1
			w.add(at, either(from == to, "friends.rank.one", "friends.rank.span"), "from", w.number(from), "to", w.number(to), "gift", gift)
		}
	}
	if byRevenue && last > 0 {
		w.add(path, "friends.highest")
	}
}

// fraud says who never counts, and which friends people look at first; not how
// many are too many, which would tell how many are not.
func (w *writer) fraud(path string, f *program.Fraud) {
	w.add(path, "friends.never")
	if f.PerIP.Friends > 0 {
		w.add(path+"/per_ip", "friends.per_ip")
	}
	if f.PerAdvocate.Friends > 0 {
		w.add(path+"/per_advocate", "friends.per_advocate")
	}
	w.add(path+"/household", "friends.household."+f.Household)
	w.add(path+"/disposable", "friends.disposable."+f.Disposable)
	if f.PerIP.Friends > 0 || f.PerAdvocate.Friends > 0 || f.Household == "review" || f.Disposable == "review" {
		w.add(path, "friends.looked")
	}
}

func (w *writer) invite(path string, v *program.Invite) {
	w.add(path, "friends.invite", "orders", w.count("order", v.Orders), "activity", given(v.Feedback), "field", given(v.Field), "from", w.number(v.From))
	switch {
	case v.Complaint != "" && v.Answered != "":
		w.add(path, "friends.invite.complaint", "complaint", given(v.Complaint), "answered", given(v.Answered))
	case v.Complaint != "":
		w.add(path, "friends.invite.unanswered", "complaint", given(v.Complaint))
	}
	w.unlessNone(path+"/again", "friends.invite.again", v.Again)
}
