package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"syscall"
	"time"

	"regulars/events/inbound"
	"regulars/shared/loyalty"
	"regulars/shared/program"
	"regulars/shared/storefront"
)

// effort is what one run of something takes of this machine.
type effort struct {
	name   string
	cpu    time.Duration // of all threads, the garbage collector's too
	allocs float64
	bytes  float64
}

// run does something n times. Times of the wall say little on a machine that
// others use too; what the process computed says what it costs.
func run(name string, n int, do func(i int) error) (effort, error) {
	var before, after runtime.MemStats
	for i := range n/10 + 1 { // until caches and pools are warm
		if err := do(-1 - i); err != nil {
			return effort{}, fmt.Errorf("%s: %w", name, err)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&before)
	begin := computed()
	for i := range n {
		if err := do(i); err != nil {
			return effort{}, fmt.Errorf("%s: %w", name, err)
		}
	}
	cpu := computed() - begin
	runtime.ReadMemStats(&after)
	per := func(x uint64) float64 { return float64(x) / float64(n) }
	return effort{name, cpu / time.Duration(n), per(after.Mallocs - before.Mallocs), per(after.TotalAlloc - before.TotalAlloc)}, nil
}

// computed is the CPU time of this process.
func computed() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// decisions measures webhooks from their bytes to the decision, without a table.
func decisions(n int) ([]effort, error) {
	doc, err := program.Parse([]byte("{}"), nil)
	if err != nil {
		return nil, err
	}
	terms, err := doc.Compile(1, nil)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	account := loyalty.Account{Member: "01J8ZQ0000000000000000000A"}
	for i := range 8 { // as many entries and lots as an account has on average
		o := loyalty.Order{
			Source: "shopify", ID: fmt.Sprint(i), State: loyalty.Paid, Currency: "ILS", PaidAt: now.AddDate(0, 0, 7*(i-8)),
			Lines: []loyalty.Line{{ID: "1", Quantity: 1, Amount: 12000}},
		}
		r := &loyalty.Record{}
		if _, err := r.Receive(&o, true); err != nil {
			return nil, err
		}
		if _, err := account.Apply(r, loyalty.Telling{Pinned: terms, Current: terms, Now: now}); err != nil {
			return nil, err
		}
	}
	decide := func(c storefront.Connection, d storefront.Delivery) error {
		if err := storefront.Verify(c, d); err != nil {
			return err
		}
		m, err := storefront.Read(context.Background(), c, d, nil)
		if err != nil {
			return err
		}
		a, r := account, &loyalty.Record{}
		a.Lots, a.Tail = slices.Clone(account.Lots), slices.Clone(account.Tail)
		if _, err := r.Receive(m.Order, true); err != nil {
			return err
		}
		_, err = a.Apply(r, loyalty.Telling{Pinned: terms, Current: terms, Now: now})
		return err
	}

	shopify, err := inbound.Files.ReadFile("shopify.json")
	if err != nil {
		return nil, err
	}
	own, err := request("POST", "/", order("1", 1, object{"customer": object{"external_id": "7"}}, now, 0))
	if err != nil {
		return nil, err
	}
	body := make([]byte, own.ContentLength)
	if _, err := own.Body.Read(body); err != nil {
		return nil, err
	}
	var out []effort
	for _, one := range []struct {
		name   string
		kind   string
		body   []byte
		header []string
	}{
		{"webhook to decision, standard, 2 lines", "standard", body, signed(body, now)},
		{"webhook to decision, Shopify's sample", "shopify", shopify, []string{"X-Shopify-Topic", "orders/paid", "X-Shopify-Hmac-Sha256", sum(shopify)}},
	} {
		c := storefront.Connection{ID: one.kind, Kind: one.kind, Secrets: []string{secret}}
		d := storefront.Delivery{Header: http.Header{}, Body: one.body, At: []time.Time{now}}
		for i := 0; i < len(one.header); i += 2 {
			d.Header.Set(one.header[i], one.header[i+1])
		}
		e, err := run(one.name, n, func(int) error { return decide(c, d) })
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}

// handlers measures whole requests, from HTTP to a commit that is on disk.
func handlers(ctx context.Context, n int) ([]effort, error) {
	s, err := openShop(ctx, "")
	if err != nil {
		return nil, err
	}
	defer s.Close()
	m := s.join(regular, func(string) {})
	m.live(50)
	if s.err != nil {
		return nil, s.err
	}
	send := func(method, path string, body any, header ...string) error {
		r, err := request(method, path, body, header...)
		if err != nil {
			return err
		}
		w := httptest.NewRecorder()
		if s.host.ServeHTTP(w, r); w.Code/100 != 2 {
			return fmt.Errorf("answered %d: %s", w.Code, w.Body)
		}
		return nil
	}
	orders, err := run("whole request, new order, embedded table", n, func(int) error {
		m.orders++
		return send("POST", "/v1/orders", order(m.orderID(), 1, m.byID(), m.clock, 0))
	})
	if err != nil {
		return nil, err
	}
	again, err := run("whole request, duplicate, embedded table", n, func(int) error {
		return send("POST", "/v1/orders", order(m.orderID(), 1, m.byID(), m.clock, 0))
	})
	if err != nil {
		return nil, err
	}
	reads, err := run("whole request, balance, embedded table", n, func(int) error { return send("GET", "/v1/members/"+m.id, nil) })
	return []effort{orders, again, reads}, err
}
