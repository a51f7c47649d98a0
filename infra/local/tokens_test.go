package local_test

import (
	"context"
	"testing"
	"time"

	"regulars/infra/local"
	"regulars/shared/table"
	engine "regulars/shared/table/embedded"
	"regulars/shared/web"
)

// What a member token is worth when its member is revoked, merged or erased,
// over HTTP, in the process that did it.
func TestMemberTokensEnd(t *testing.T) {
	s := embedded(t)
	token := func(m string) string { return "Bearer " + s.must("POST", "/v1/members/"+m+"/tokens", nil).str("token") }
	may := func(m, token string) {
		t.Helper()
		if a := s.must("GET", "/v1/members/"+m, nil, "Authorization", token); a.str("name") == "" {
			t.Errorf("%s", a.raw)
		}
	}
	mayNot := func(m, token string) {
		t.Helper()
		for _, path := range []string{"", "/ledger", "/ledger/verification", "/orders", "/entitlements", "/vouchers"} {
			s.refused(401, "unauthorized", "GET", "/v1/members/"+m+path, nil, "Authorization", token)
		}
	}
	noa, guest := s.enrol("Noa"), s.enrol("Guest")
	first, other := token(noa), token(guest)
	may(noa, first)
	s.refused(403, "forbidden", "DELETE", "/v1/members/"+noa+"/tokens", nil, "Authorization", first)
	if a := s.must("DELETE", "/v1/members/"+noa+"/tokens", nil); a.str("member") != noa {
		t.Errorf("%s", a.raw)
	}
	mayNot(noa, first)
	second := token(noa)
	may(noa, second)
	may(guest, other)
	if v := s.member(noa); v.num("version") != 1 {
		t.Errorf("a revocation is a change of the member: %s", v.raw)
	}

	s.must("POST", "/v1/members/"+guest+"/merge", object{"into": noa})
	mayNot(guest, other)
	may(noa, second)
	byOldID := token(guest)
	may(guest, byOldID) // shows Noa, who has what was the guest's
	s.refused(404, "not_found", "GET", "/v1/members/"+noa, nil, "Authorization", byOldID)
	s.must("DELETE", "/v1/members/"+guest+"/tokens", nil) // by any id of hers
	mayNot(noa, second)
	mayNot(guest, byOldID)

	last := token(noa)
	may(noa, last)
	s.must("POST", "/v1/privacy/erasures", object{"member": noa})
	mayNot(noa, last)
	s.refused(422, "member_erased", "POST", "/v1/members/"+noa+"/tokens", nil)
	s.refused(422, "member_erased", "POST", "/v1/members/"+guest+"/tokens", nil)

	dana := s.must("POST", "/v1/members", object{"name": "Dana", "external_ids": object{"shopify": "5"}}).str("id")
	hers := token(dana)
	may(dana, hers)
	s.shopify("customers/redact", `{"shop_id": 1, "shop_domain": "x", "customer": {"id": 5}, "orders_to_redact": []}`)
	mayNot(dana, hers)
	if n := s.events(); n["member.enrolled"] != 3 || n["privacy.requested"] != 1 {
		t.Errorf("events: %v", n)
	}
}

// Keys that an operator makes and revokes are as the gate reads them.
func TestKeysAreMadeAndRevoked(t *testing.T) {
	file, err := engine.Open(t.TempDir() + "/table.db")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	store, ctx, now := table.NewStore(file), context.Background(), time.Now()
	if err := local.Setup(ctx, store, local.Deployment{Program: "main", AdminKey: "sk_first", Now: now}); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []table.APIKey{{Program: "main", Scope: "member"}, {Program: "main"}, {Program: "nobody", Scope: "admin"}, {Program: "main", Scope: "admin", At: 9, Until: 9}} {
		if key, err := local.NewKey(ctx, store, bad); err == nil {
			t.Errorf("%+v: %s", bad, key)
		}
	}
	key, err := local.NewKey(ctx, store, table.APIKey{Program: "main", Scope: "server", At: now.Unix()})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"sk_unknown", web.HashKey("sk_unknown"), web.HashKey(web.HashKey(key)), ""} {
		if found, err := local.RevokeKey(ctx, store, name, now); found || err != nil {
			t.Errorf("%q: %v, %v", name, found, err)
		}
	}
	for i, at := range []time.Time{now, now.Add(time.Hour)} {
		found, err := local.RevokeKey(ctx, store, []string{web.HashKey(key), key}[i], at)
		k, _ := store.APIKey(ctx, web.HashKey(key))
		if !found || err != nil || k.Revoked != now.Unix() || k.Scope != "server" {
			t.Errorf("%v, %v: %+v", found, err, k)
		}
	}
}
