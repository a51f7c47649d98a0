package table_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"regulars/shared/loyalty"
	"regulars/shared/program"
	"regulars/shared/table"
)

// publish makes a document the next version.
func publish(t *testing.T, s *table.Store, doc string) error {
	t.Helper()
	d, err := program.Parse([]byte(doc), nil)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	return s.Update(context.Background(), "p", func(tx *table.Tx) error {
		_, err := tx.Publish(d, raw, now)
		return err
	})
}

// versions are those that an order of a member is pinned to, and the member's
// own account goes by.
func versions(t *testing.T, s *table.Store, member, store, region string) (order, account int64) {
	t.Helper()
	err := s.View(context.Background(), "p", func(tx *table.Tx) error {
		a, err := tx.TermsOfOrder(member, &loyalty.Order{Store: store, Region: region})
		if err != nil {
			return err
		}
		b, err := tx.TermsOfMember(member)
		order, account = a.Version, b.Version
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return order, account
}

// SC21: a version that is for some stores holds in these, the newest that
// fits; a version for everyone ends all that came before it.
func TestARolloutIsForItsPart(t *testing.T) {
	s := store(t, engine(t)) // version 1
	for _, doc := range []string{`{"rollout": {"stores": ["1", "2", "3"]}}`, `{"rollout": {"regions": ["north"]}}`, `{"rollout": {"percent": 30}}`} {
		if err := publish(t, s, doc); err != nil {
			t.Fatal(err)
		}
	}
	in, out := "", "" // members that the percentage has, and has not
	had := 0
	for i := range 1000 {
		m := fmt.Sprint("M", i)
		if _, v := versions(t, s, m, "", ""); v == 4 {
			in = m
			had++
		} else {
			out = m
		}
	}
	if had < 250 || had > 350 {
		t.Errorf("30 percent are %d of 1000", had)
	}
	for _, c := range []struct {
		name, member, store, region string
		order, account              int64
	}{
		{"in no part", out, "4", "south", 1, 1},
		{"in a store of the part", out, "1", "south", 2, 1},
		{"in its region", out, "4", "north", 3, 1},
		{"in both: the newer", out, "1", "north", 3, 1},
		{"a member of the part, anywhere", in, "4", "south", 4, 4},
		{"and in a store that is in another", in, "1", "north", 4, 4},
		{"an order without a place", out, "", "", 1, 1},
	} {
		if order, account := versions(t, s, c.member, c.store, c.region); order != c.order || account != c.account {
			t.Errorf("%s: the order has version %d, the member %d", c.name, order, account)
		}
	}
	if err := publish(t, s, `{}`); err != nil {
		t.Fatal(err)
	}
	if order, account := versions(t, s, in, "1", "north"); order != 5 || account != 5 {
		t.Errorf("after a version for everyone: %d, %d", order, account)
	}
}

func TestTheFirstVersionIsForAll(t *testing.T) {
	var e *loyalty.Error
	if err := publish(t, table.NewStore(engine(t)), `{"rollout": {"percent": 5}}`); !errors.As(err, &e) || e.Code != "nothing_to_roll_out_from" {
		t.Errorf("%v", err)
	}
}

// Two parts of a program cannot have points of two currencies.
func TestARolloutKeepsTheCurrency(t *testing.T) {
	var e *loyalty.Error
	if err := publish(t, store(t, engine(t)), `{"currency": "USD", "rollout": {"percent": 5}}`); !errors.As(err, &e) || e.Details["path"] != "/currency" {
		t.Errorf("%v", err)
	}
}
