package web_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"regulars/shared/loyalty"
	"regulars/shared/table"
	"regulars/shared/web"
)

// token issues one as the route does.
func (d *door) token(g *web.Gate, program, id string) string {
	d.t.Helper()
	var token string
	err := d.store.View(context.Background(), program, func(tx *table.Tx) (err error) {
		token, _, err = g.MemberToken(context.Background(), tx, program, "mem_"+id)
		return err
	})
	if err != nil {
		d.t.Fatal(err)
	}
	return token
}

func (d *door) revoke(g *web.Gate, id string) {
	d.t.Helper()
	generation := g.ID()
	d.update("main", func(tx *table.Tx) error { return tx.RevokeTokens(id, generation) })
	g.ForgetTokens()
}

// No time passes between a revocation and what follows, so no clock could
// tell an old token from a new one.
func TestRevokedTokensAreVoidAndNewOnesAreGood(t *testing.T) {
	bubble(t, func(t *testing.T, d *door) {
		here, elsewhere := d.gate(), d.gate()
		old, another := d.token(here, "main", member), d.token(here, "main", "01ANOTHER")
		d.asked(200, here, old, "before")
		d.asked(200, elsewhere, old, "before, elsewhere")

		d.revoke(here, member)
		d.asked(401, here, old, "where it was revoked, at once")
		fresh := d.token(here, "main", member)
		d.asked(200, here, fresh, "a new one")
		d.asked(200, elsewhere, fresh, "a new one, where the old one is still remembered")
		d.asked(401, elsewhere, old, "elsewhere, once the new one was seen")
		if code, _ := ask(here, "mem_01ANOTHER", "Bearer "+another, web.Member); code != 200 {
			t.Errorf("another member's token: %d", code)
		}

		d.revoke(here, member)
		d.asked(401, here, fresh, "revoked a second time")
		d.asked(401, here, old, "the first one, after a second revocation")
		time.Sleep(30 * time.Second)
		d.asked(401, elsewhere, fresh, "elsewhere, 30 seconds later")
	})
}

func TestTokensEndWithTheMember(t *testing.T) {
	bubble(t, func(t *testing.T, d *door) {
		g := d.gate()
		merged := d.token(g, "main", "01ANOTHER")
		kept := d.token(g, "main", member)
		askOther := func(token string) int {
			code, _ := ask(g, "mem_01ANOTHER", "Bearer "+token, web.Member)
			return code
		}
		if code := askOther(merged); code != 200 {
			t.Fatalf("before: %d", code)
		}
		d.update("main", func(tx *table.Tx) error {
			a, err := tx.Account("01ANOTHER")
			if err != nil {
				return err
			}
			a.Into = member
			return tx.PutAccount(a)
		})
		g.ForgetTokens()
		if code := askOther(merged); code != 401 {
			t.Errorf("the token of who was merged away: %d", code)
		}
		d.asked(200, g, kept, "the token of who stays")
		if code := askOther(d.token(g, "main", "01ANOTHER")); code != 200 {
			t.Errorf("a token that was asked for by the old id after the merge: %d", code)
		}

		if err := d.store.Erase(context.Background(), "main", member, time.Now(), nil); err != nil {
			t.Fatal(err)
		}
		g.ForgetTokens()
		d.asked(401, g, kept, "the token of who was erased")
		d.revoke(g, member)
		d.asked(401, g, kept, "and after a revocation, which does not undo it")
		err := d.store.View(context.Background(), "main", func(tx *table.Tx) error {
			_, _, err := g.MemberToken(context.Background(), tx, "main", "mem_"+member)
			return err
		})
		if e, ok := err.(*loyalty.Error); !ok || e.Code != "member_erased" {
			t.Errorf("a token for who was erased: %v", err)
		}
	})
}

func TestTokensEndByTheClock(t *testing.T) {
	bubble(t, func(t *testing.T, d *door) {
		g := d.gate()
		token := d.token(g, "main", member)
		time.Sleep(15*time.Minute - time.Second)
		d.asked(200, g, token, "a second before its end")
		time.Sleep(time.Second)
		d.asked(401, g, token, "at its end")
	})
}

// A key signs as long as it is the first, and verifies as long as it is there.
func TestKeysOfTokensAreRotated(t *testing.T) {
	bubble(t, func(t *testing.T, d *door) {
		g := d.gate()
		first, second := d.keys[0], "the second key of member tokens, long enough"
		old := d.token(g, "main", member)
		d.keys = []string{second, first}
		fresh := d.token(g, "main", member)
		d.asked(200, g, old, "by the old key, which is still there")
		d.asked(200, g, fresh, "by the new key")
		d.keys = []string{second}
		d.asked(401, g, old, "by the old key, which is gone")
		d.asked(200, g, fresh, "by the only key")
		d.keys = []string{"too short to sign"}
		d.asked(401, g, fresh, "without a key")
	})
}

func TestForgedTokens(t *testing.T) {
	bubble(t, func(t *testing.T, d *door) {
		g := d.gate()
		key := []byte(d.keys[0])
		good := d.token(g, "main", member)
		real := jwt.MapClaims{}
		if _, _, err := jwt.NewParser().ParseUnverified(good, real); err != nil {
			t.Fatal(err)
		}
		with := func(name string, value any) jwt.MapClaims {
			c := maps.Clone(real)
			if c[name] = value; value == nil {
				delete(c, name)
			}
			return c
		}
		sign := func(m jwt.SigningMethod, c jwt.MapClaims, key any) string {
			s, err := jwt.NewWithClaims(m, c).SignedString(key)
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		d.asked(200, g, sign(jwt.SigningMethodHS256, real, key), "the claims as they are, or nothing below is tested")

		rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			t.Fatal(err)
		}
		parts := strings.Split(good, ".")
		later := time.Now().Add(time.Hour).Unix()
		for what, token := range map[string]string{
			"alg none":               sign(jwt.SigningMethodNone, real, jwt.UnsafeAllowNoneSignatureType),
			"alg none, signature on": strings.Join([]string{"eyJhbGciOiJub25lIn0", parts[1], parts[2]}, "."),
			"no signature":           parts[0] + "." + parts[1] + ".",
			"HS384":                  sign(jwt.SigningMethodHS384, real, key),
			"HS512":                  sign(jwt.SigningMethodHS512, real, key),
			"RS256":                  sign(jwt.SigningMethodRS256, real, rsaKey),
			"another key":            sign(jwt.SigningMethodHS256, real, []byte("a key that this deployment does not have")),
			"another audience":       sign(jwt.SigningMethodHS256, with("aud", "another"), key),
			"no audience":            sign(jwt.SigningMethodHS256, with("aud", nil), key),
			"no end":                 sign(jwt.SigningMethodHS256, with("exp", nil), key),
			"ended":                  sign(jwt.SigningMethodHS256, with("exp", time.Now().Unix()), key),
			"not yet":                sign(jwt.SigningMethodHS256, with("nbf", later), key),
			"no program":             sign(jwt.SigningMethodHS256, with("prg", ""), key),
			"no member":              sign(jwt.SigningMethodHS256, with("sub", ""), key),
			"no generation":          sign(jwt.SigningMethodHS256, with("gen", nil), key),
			"another generation":     sign(jwt.SigningMethodHS256, with("gen", member+".01OLD"), key),
			"a program of no name":   sign(jwt.SigningMethodHS256, with("prg", "nobody"), key),
			"an unknown member":      sign(jwt.SigningMethodHS256, with("sub", "mem_01UNKNOWN"), key),
			"no id of a member":      sign(jwt.SigningMethodHS256, with("sub", "mem_x#ACCOUNT"), key),
			"numbers for texts":      sign(jwt.SigningMethodHS256, with("sub", 7), key),
			"a changed header":       parts[0] + "A." + parts[1] + "." + parts[2],
			"four parts":             good + ".x",
			"bits that say nothing":  good[:len(good)-1] + unusedBits(good[len(good)-1]),
			"white space":            good + " ",
			"twice":                  good + ", Bearer " + good,
		} {
			d.asked(401, g, token, what)
		}
		for what, authorization := range map[string]string{"another scheme": "Basic " + good, "lower case": "bearer " + good, "nothing": "", "no token": "Bearer ", "a long one": "Bearer " + strings.Repeat("x", 2001)} {
			if got, _ := ask(g, "mem_"+member, authorization, web.Member); got != 401 {
				t.Errorf("%s: %d", what, got)
			}
		}
	})
}

// unusedBits is another spelling of a signature's last character: of its six
// bits two are beyond the last byte.
func unusedBits(c byte) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return string(alphabet[strings.IndexByte(alphabet, c)^1])
}

// A token says of which program it is, and its member is looked for there.
func TestTokensOfAnotherProgram(t *testing.T) {
	bubble(t, func(t *testing.T, d *door) {
		g := d.gate()
		code, in := ask(g, "mem_"+member, "Bearer "+d.token(g, "other", member), web.Member)
		if code != 200 || in.Program != "other" {
			t.Errorf("%d in program %q", code, in.Program)
		}
		d.revoke(g, member) // in main
		if code, _ := ask(g, "mem_"+member, "Bearer "+d.token(g, "other", member), web.Member); code != 200 {
			t.Errorf("after a revocation in the other program: %d", code)
		}
	})
}

// Another member's id is as unknown as one that nobody has.
func TestATokenLeadsToItsMemberOnly(t *testing.T) {
	bubble(t, func(t *testing.T, d *door) {
		g := d.gate()
		token := d.token(g, "main", member)
		for _, id := range []string{"mem_01ANOTHER", "mem_01UNKNOWN", member, "mem_" + strings.ToLower(member), "MEM_" + member} {
			if got, _ := ask(g, id, "Bearer "+token, web.Server, web.Member); got != 404 {
				t.Errorf("%s: %d", id, got)
			}
		}
		if got, _ := ask(g, "mem_"+member, "Bearer "+token, web.Server); got != 403 {
			t.Errorf("a route for servers: %d", got)
		}
	})
}
