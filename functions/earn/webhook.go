package earn

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"regulars/shared/loyalty"
	"regulars/shared/orders"
	"regulars/shared/referrals"
	"regulars/shared/storefront"
	"regulars/shared/table"
	"regulars/shared/web"
)

// webhook takes a storefront's delivery. What it can never use is answered
// 200 with a reason, since a storefront that gets anything else tries again
// and in the end gives up on us.
func (h *Handler) webhook(ctx context.Context, r *web.Request) (web.Answer, error) {
	id := r.PathValue("connection")
	if !loyalty.ValidSource(id) {
		return web.Answer{}, loyalty.NotFound("connection")
	}
	conn, err := h.Gate.Connection(ctx, id)
	if err != nil {
		return web.Answer{}, err
	}
	secrets, err := h.Gate.Secrets(ctx)
	if err != nil {
		return web.Answer{}, err
	}
	c := storefront.Connection{ID: conn.ID, Kind: conn.Kind, URL: cmp.Or(conn.URL, addressOf(r)), Secrets: secrets.Connections[conn.ID]}
	d := storefront.Delivery{Header: r.Header, Body: r.Body, At: []time.Time{h.Gate.Clock(), h.Now()}}
	if err := storefront.Verify(c, d); err != nil {
		return web.Answer{}, err
	}
	m, err := storefront.Read(ctx, c, d, h.Orders(*conn, secrets.APITokens[conn.ID]))
	if err != nil {
		return web.Answer{}, err
	}
	if m.Order != nil && m.Order.Source != conn.ID { // a till speaks for its own orders, not for the web shop's
		owned, err := h.Gate.Owned(ctx, m.Order.Source)
		if err != nil {
			return web.Answer{}, err
		}
		if owned {
			return web.Answer{Body: ignored(foreignSource)}, nil
		}
	}
	if m.Privacy != nil {
		res, err := h.privacy(ctx, conn, m.Privacy, r.Body)
		return web.Answer{Body: res}, err
	}
	var res Result
	by := orders.Teller{Now: h.Gate.Clock(), Guest: h.Gate.ID(), Seed: h.Gate.Seed(), Webhook: true}
	err = h.Gate.Store.Update(ctx, conn.Program, func(tx *table.Tx) (err error) {
		switch {
		case m.Order != nil:
			taken, err := orders.Take(tx, m.Order, by)
			res, err = h.taken(tx, taken, err)
			return err
		case m.Refund != nil:
			taken, err := orders.TakeRefund(tx, m.Refund, by)
			res, err = h.taken(tx, taken, err)
			return err
		case m.Customer != nil:
			res, err = customer(tx, m.Customer, by)
		case m.Ignored != "":
			res = ignored(m.Ignored)
		default:
			err = fmt.Errorf("connection %s: a message says nothing", conn.ID)
		}
		return err
	})
	if code, ok := neverUsable(err); ok {
		res, err = ignored(code), nil
	}
	return web.Answer{Body: res}, err
}

// addressOf is the address that a request was sent to, for a storefront that
// signs it and a connection that does not state it. Whoever makes up a Host
// still lacks the secret.
func addressOf(r *web.Request) string {
	scheme := cmp.Or(r.Header.Get("X-Forwarded-Proto"), "http")
	return scheme + "://" + r.Host + r.URL.Path
}

// neverUsable tells whether an error is a refusal that would be the same
// however often the delivery came.
func neverUsable(err error) (string, bool) {
	var e *loyalty.Error
	if errors.As(err, &e) && e.Kind == loyalty.Refused {
		return e.Code, true
	}
	if e != nil && e.Kind == loyalty.Missing {
		return unknownMember, true
	}
	return "", false
}

// customer brings a member's profile to the shop's record of the person.
func customer(tx *table.Tx, m *storefront.CustomerChange, by orders.Teller) (Result, error) {
	if m.Customer.Anonymous() {
		return ignored(orders.NoCustomer), nil
	}
	if err := tx.Fresh(); err != nil { // who was just merged away has no profile to change
		return Result{}, err
	}
	known, err := tx.Match(m.Source, &m.Customer)
	if err != nil {
		return Result{}, err
	}
	res := Result{Status: loyalty.Applied, Member: "mem_" + by.Guest, Entries: []web.Entry{}}
	if m.Deleted {
		// The shop forgot the person; the points are still theirs. Erasing
		// is asked for by customers/redact.
		return ignored("customer_deleted"), nil
	}
	if known == "" {
		return res, tx.Enrol(orders.Guest(by.Guest, m.Source, &m.Customer, by.Now))
	}
	a, err := tx.Holder(known)
	if err != nil {
		return Result{}, err
	}
	res.Member = "mem_" + a.Member
	p, _, err := tx.Profile(a.Member)
	if err != nil {
		return Result{}, err
	}
	was := p.Clone()
	if m.Customer.Email != "" {
		p.Email, p.EmailVerified = m.Customer.Email, m.Customer.EmailVerified
	}
	if m.Customer.Phone != "" {
		p.Phone, p.PhoneVerified = m.Customer.Phone, m.Customer.PhoneVerified
	}
	if m.Customer.Name != "" {
		p.Name = m.Customer.Name
	}
	if p.Equal(&was) {
		res.Status = loyalty.Duplicate
		return res, nil
	}
	return res, tx.PutProfile(was, p, false)
}

// privacy does what a storefront passes on from a person: an erasure at once;
// a copy of the data and the end of a shop are for people to answer, so they
// are recorded and announced. A request is known again by its signed bytes:
// sent twice, it does not erase who came back meanwhile. It is written down
// before the erasure begins, whom it is about included: an erasure takes away
// by what the person was found, and one that was cut short has to go on.
func (h *Handler) privacy(ctx context.Context, conn *table.Connection, m *storefront.PrivacyRequest, body []byte) (Result, error) {
	now := h.Gate.Clock()
	id := conn.ID + "\n" + m.Topic + "\n" + string(body)
	res := Result{Entries: []web.Entry{}}
	var req table.PrivacyRequest
	err := h.Gate.Store.Update(ctx, conn.Program, func(tx *table.Tx) error {
		if err := tx.Fresh(); err != nil { // who it is decides, and is not written
			return err
		}
		known, err := tx.PrivacyRequest(id)
		if err != nil {
			return err
		}
		if known != nil {
			res.Status, req = loyalty.Duplicate, *known
			return nil
		}
		res.Status, req = loyalty.Applied, table.PrivacyRequest{Connection: conn.ID, Topic: m.Topic, At: now.Unix()}
		if req.Member, err = holder(tx, m); err != nil {
			return err
		}
		redact := m.Topic == "customers/redact"
		req.Open = redact && req.Member != ""
		if redact { // who never bought may have registered as a friend
			if err := referrals.ForgetCustomer(tx, &m.Customer); err != nil {
				return err
			}
		}
		tx.PutPrivacyRequest(id, req)
		return nil
	})
	if err != nil || !req.Open {
		return res, err
	}
	defer h.Gate.ForgetTokens()
	if err := h.Gate.Store.Erase(ctx, conn.Program, req.Member, now, referrals.Forget); err != nil {
		return Result{}, err
	}
	req.Open, res.Status = false, loyalty.Applied
	return res, h.Gate.Store.Update(ctx, conn.Program, func(tx *table.Tx) error {
		if _, err := tx.PrivacyRequest(id); err != nil {
			return err
		}
		tx.PutPrivacyRequest(id, req)
		return nil
	})
}

// holder is who has the points of the person that a request is about; "" when
// nobody knows the person.
func holder(tx *table.Tx, m *storefront.PrivacyRequest) (string, error) {
	if m.Customer.Anonymous() {
		return "", nil
	}
	known, err := tx.Match(m.Source, &m.Customer)
	if err != nil || known == "" {
		return "", err
	}
	a, err := tx.Holder(known)
	if err != nil {
		return "", err
	}
	return a.Member, nil
}
