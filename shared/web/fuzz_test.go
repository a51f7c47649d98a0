package web_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"regulars/shared/loyalty"
	"regulars/shared/table"
	"regulars/shared/web"
)

// invalid tells whether an error is the one that the contract has for input.
func invalid(err error) bool {
	var e *loyalty.Error
	return errors.As(err, &e) && e.Kind == loyalty.Invalid
}

// Whoever is let in has the one good key or the one good token, to the letter.
func FuzzBearer(f *testing.F) {
	d := newDoor(f)
	g := d.gate()
	now := time.Unix(1773561660, 0)
	g.Clock = func() time.Time { return now }
	d.key("sk_good", table.APIKey{Scope: "server"})
	token := d.token(g, "main", member)
	parts := strings.Split(token, ".")
	for _, h := range []string{
		"", "Bearer", "Bearer ", "Bearer sk_good", "bearer sk_good", "Bearer  sk_good", "Basic c2tfZ29vZDo=", "Bearer a.b.c", "Bearer ..", "Bearer " + token,
		"Bearer " + token[:len(token)-1], "Bearer eyJhbGciOiJub25lIn0." + parts[1] + ".", "Bearer " + parts[0] + ".." + parts[2], "Bearer e30.e30.e30",
		"Bearer " + strings.Repeat("x", 2000), "Bearer \x00", "Bearer sk_good\x00",
	} {
		f.Add(h)
	}
	f.Fuzz(func(t *testing.T, authorization string) {
		code, in := ask(g, "mem_"+member, authorization, web.Server, web.Member)
		switch {
		case authorization == "Bearer sk_good" && in.Scope == web.Server, authorization == "Bearer "+token && in.Self == "mem_"+member:
			if code != http.StatusOK {
				t.Errorf("%q: %d", authorization, code)
			}
		case code != http.StatusUnauthorized:
			t.Errorf("%q: %d, as %+v", authorization, code, in)
		}
	})
}

// A cursor is one that a list gave, or refused.
func FuzzCursor(f *testing.F) {
	for _, s := range []string{"", "c1", "c0", "c-1", "c+1", "c01", "C1", "1", "c", "cc", "c1y2p0ij32e8e7", "c1y2p0ij32e8e8", "c1 ", "c\x00", "cZ", web.Cursor(1 << 40)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r := &web.Request{Request: httptest.NewRequest("GET", "/?cursor="+url.QueryEscape(s), nil)}
		n, err := r.After()
		if err != nil && !invalid(err) || err == nil && s != "" && (n < 1 || web.Cursor(n) != s) || s == "" && (n != 0 || err != nil) {
			t.Errorf("%q is %d, %v", s, n, err)
		}
	})
}

// What a header or a query says is a number within its bounds, or refused.
func FuzzNumbers(f *testing.F) {
	for _, s := range []string{"", "*", `"7"`, "7", "007", "+7", "-7", "1e2", "0", "201", "9223372036854775807", "9223372036854775808", `W/"7"`, "٣", `"`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r := &web.Request{Request: httptest.NewRequest("GET", "/?limit="+url.QueryEscape(s), nil)}
		if n, err := r.Limit(); err != nil && !invalid(err) || err == nil && (n < 1 || n > 200) {
			t.Errorf("the limit %q is %d, %v", s, n, err)
		}
		r.Header.Set("If-Match", s)
		if n, err := r.IfMatch(); err != nil && !invalid(err) || err == nil && n < 0 {
			t.Errorf("If-Match %q is %d, %v", s, n, err)
		}
	})
}

// An id in a path has the shape of our ids, or is of nothing.
func FuzzPathID(f *testing.F) {
	for _, s := range []string{"", "mem_", "mem_01A", "mem_01a", "mem_#", "mem_" + strings.Repeat("A", 41), "hld_01A", "mem_mem_01A", "mem_\x00", "mem_０１", "mem_А"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r := &web.Request{Request: httptest.NewRequest("GET", "/", nil)}
		r.SetPathValue("id", s)
		id, err := r.PathID("id", "mem_", "member")
		var e *loyalty.Error
		if err != nil && (!errors.As(err, &e) || e.Kind != loyalty.Missing) {
			t.Errorf("%q: %v", s, err)
		}
		if err == nil && ("mem_"+id != s || len(id) > 40 || strings.Trim(id, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "") {
			t.Errorf("%q is %q", s, id)
		}
	})
}

// An entry's id is one that EntryID makes, or none.
func FuzzEntryID(f *testing.F) {
	for _, s := range []string{"led_01J0000000001", "led_01J0000000001_cash", "led_01J0000000001_", "led_0000000001", "led_01J1", "led_01J-000000001", "led_01J+000000001", "led_01J0000000000", "01J0000000001", "led_" + strings.Repeat("9", 40), "led__0000000001_x", web.EntryID("M", "a_b", 1)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if member, wallet, seq, ok := web.ParseEntryID(s); ok && (web.EntryID(member, wallet, seq) != s || member == "" || seq < 1) {
			t.Errorf("%q: %q, %q, %d", s, member, wallet, seq)
		}
	})
}

func TestEntryIDsAreReadBack(t *testing.T) {
	for _, wallet := range []string{"", "cash", "a_b-c"} {
		for _, seq := range []int64{1, 42, 9_999_999_999} {
			if m, w, n, ok := web.ParseEntryID(web.EntryID("01J", wallet, seq)); m != "01J" || w != wallet || n != seq || !ok {
				t.Errorf("%q, %q, %d, %v", m, w, n, ok)
			}
		}
	}
}
