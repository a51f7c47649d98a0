package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"regulars/shared/table"
)

// Op is one thing that a client, a till or a storefront wants. It is sent as
// often as it takes, and decided by the model as often as the product does.
type Op interface {
	// Request is what is sent at an instant of the world's clock: every time
	// the same, but for what a signature covers.
	Request(p *programme, at time.Time) *http.Request
	// Decide says what a plain programme answers now, and does; nil for
	// nothing. id is the id that the product has for something new.
	Decide(p *programme, now time.Time, id string) (answer, func())
}

// inParts is an Op that has its effect in several transactions, one after the
// other, or in none when it had it before. It follows each of them by itself.
type inParts interface {
	Wrote(p *programme, writes []table.Write)
	// Left says what an answered request left undone; "" for nothing.
	Left(p *programme, answer map[string]any) string
}

// Kind is a kind of operation: what a simulated world does, how often beside
// the others, and where to find one. Draw answers nil when there is nothing
// of the kind to do now.
type Kind struct {
	Name   string
	Weight int
	Draw   func(w *world, p *programme, r *rand.Rand) *message
}

// kinds are all operations of a world. A new one is a file of its own with
// its Kind, its Request and its Decide, and a line here.
var kinds = []Kind{
	newOrder, changedOrder, newShopifyOrder, changedShopifyOrder, shopifyPerson, shopifyRedaction,
	holdPoints, endHold, redeemPoints, cancelRedemption, askPayout, decidePayout,
	recordActivity, useVoucher, releaseVoucher, validateVoucher, readBenefits, chooseReward, exchangePoints, bindCard,
	adjustPoints, enrolMember, renameMember, mergeMembers, erasePerson, exportPerson, signIn, signOut,
	readMember, readLedger, readOrder, evaluateOrder, strangeMember,
	askCode, registerFriend, friendOrder, lateRefund, decideReferral, readReferral, followLink, runReferrals,
	publishRules, runSchedule, importOrders,
	askRefresh, beginRefreshes, defineSegment, previewSegment, readSegment,
}

// message is an operation on its way, and what became of it.
type message struct {
	step    int
	kind    string
	op      Op             // nil: a job
	job     string         // "": the schedules of maintain; or "referrals", "follow", "segments"
	refresh *refreshStep   // that "segments" does
	changes []table.Change // that "follow" reads
	program *programme
	key     string // Idempotency-Key; "" without
	late    bool   // may come late, out of order, or not at all: a storefront's webhook
	public  bool   // it names no program: a code in it does
	alone   bool   // what changes for everyone does not run beside others
	acked   func(body map[string]any)
	crashAt int // the process of its first delivery ends at that call of the store; 0: by chance

	tries, due int // deliveries begun, and those still on their way
	done       bool
	reply      []byte // the first answer
}

// String shows what is sent.
func (m *message) String() string {
	if m.op == nil {
		return m.kind
	}
	r := m.op.Request(m.program, time.Time{})
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%s of %s: %s %s %s", m.kind, m.program.name, r.Method, r.URL.RequestURI(), body)
}

// answer is what a request should be answered: the status, the code of a
// problem, and values by their path in the body.
type answer struct {
	status int
	code   string
	values []value
}

type value struct {
	path string
	want any // string, int64 or bool
}

func (a answer) String() string {
	s := fmt.Sprint(a.status, " ", a.code)
	for _, v := range a.values {
		s += fmt.Sprintf(" %s=%v", v.path, v.want)
	}
	return strings.TrimSpace(s)
}

func refuse(status int, code string, values ...value) answer { return answer{status, code, values} }

// request makes an API request.
func request(p *programme, method, path, body string) *http.Request {
	r, err := http.NewRequest(method, "http://simulated"+path, strings.NewReader(body))
	if err != nil {
		panic(err)
	}
	r.Header.Set("Authorization", "Bearer "+p.key)
	return r
}

// someone is a member who can still do something: mostly one of the newest,
// half of the time the same one in a world that has a favourite.
func (w *world) someone(p *programme, r *rand.Rand) *member {
	const circle = 25
	for range 20 {
		i := len(p.people) - 1 - r.IntN(min(circle, max(1, len(p.people))))
		if w.odds.favourite && r.IntN(2) == 0 {
			i = 0
		}
		if i < 0 {
			return nil
		}
		if m := p.members[p.people[i]]; m.into == "" && !m.gone || r.IntN(10) == 0 {
			return m // now and then one who was merged away: what is sent for her is the other's
		}
	}
	return nil
}

func money(r *rand.Rand) int64 {
	if r.IntN(4) == 0 {
		return 100 * (1 + r.Int64N(300))
	}
	return 1 + r.Int64N(30_000)
}
