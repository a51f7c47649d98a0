package table

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/fxamacker/cbor/v2"

	"regulars/shared/loyalty"
)

// Keys of the table. Ids never hold '#', so parts cannot run into each other.
// Everything of a program begins with its id; what leads to a program from
// outside (keys, connections) does not.
func programKey(program string) Key { return Key{program + "#PROGRAM", "CURRENT"} }

func versionKey(program string, n int64) Key {
	return Key{program + "#PROGRAM", fmt.Sprintf("VERSION#%010d", n)}
}
func memberPK(program, id string) string { return program + "#MEMBER#" + id }
func accountKey(program, id string) Key  { return Key{memberPK(program, id), "ACCOUNT"} }
func profileKey(program, id string) Key  { return Key{memberPK(program, id), "PROFILE"} }
func tokensKey(program, id string) Key   { return Key{memberPK(program, id), "TOKENS"} }

// walletKey is the account of a wallet; "" is points.
func walletKey(program, id, wallet string) Key {
	if wallet == "" {
		return accountKey(program, id)
	}
	return Key{memberPK(program, id), "ACCOUNT#" + wallet}
}

// WalletOf is the wallet of which an account's key is; "" is points.
func WalletOf(account Key) string {
	_, wallet, _ := strings.Cut(account.SK, "#")
	return wallet
}

func pageKey(program, id, wallet string, first int64) Key {
	return Key{memberPK(program, id), fmt.Sprintf("%s%012d", pagePrefix(wallet), first)}
}

func pagePrefix(wallet string) string {
	if wallet == "" {
		return "PAGE#"
	}
	return "PAGES#" + wallet + "#"
}

func voucherKey(program, code string) Key { return Key{program + "#VOUCHER#" + code, "VOUCHER"} }

func actKey(program, kind, key string) Key {
	return Key{program + "#ACT#" + kind + "#" + digest(key), "ACT"} // a key may hold what an id may not
}

func movementKey(program, partner, month, id string) Key {
	return Key{program + "#PARTNER#" + partner + "#" + month, "MOVEMENT#" + id}
}

// A board's scores are spread over shards, each sorted by score, highest first.
func scoreKey(program, board string, period, score int64, member string) Key {
	return Key{scorePK(program, board, period, scoreShard(member)), fmt.Sprintf("SCORE#%019d#%s", math.MaxInt64-score, member)}
}

func scorePK(program, board string, period int64, shard int) string {
	return fmt.Sprintf("%s#SCORES#%s#%d#%02d", program, board, period, shard)
}

func boardKey(program, board string, period int64) Key {
	return Key{fmt.Sprintf("%s#BOARD#%s#%d", program, board, period), "BOARD"}
}

// scoreShards is how many partitions the scores of one period have.
const scoreShards = 16

func scoreShard(member string) int {
	sum := sha256.Sum256([]byte(member))
	return int(sum[1]) % scoreShards
}

func budgetKey(program, rule string) Key { return Key{program + "#BUDGET#" + rule, "BUDGET"} }

func orderKey(program string, o loyalty.OrderRef) Key {
	return Key{program + "#ORDER#" + o.Source + "#" + o.ID, "ORDER"}
}

func redemptionKey(program, id string) Key { return Key{program + "#REDEMPTION#" + id, "REDEMPTION"} }

func externalKey(program, source, id string) Key {
	return Key{externalPK(program, id), source}
}
func externalPK(program, id string) string { return program + "#EXTERNAL#" + id }
func contactPK(program, kind, address string) string {
	return program + "#" + kind + "#" + digest(address) // a person's address is not readable in a key
}

func receiptKey(program, key string) Key { return Key{program + "#RECEIPT#" + digest(key), "RECEIPT"} }

func privacyKey(program, id string) Key { return Key{program + "#PRIVACY#" + digest(id), "PRIVACY"} }
func apiKeyKey(hash string) Key         { return Key{"KEY#" + hash, "KEY"} }
func connectionKey(id string) Key       { return Key{"CONNECTION#" + id, "CONNECTION"} }

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:16])
}

// ProgramOf is the program that an item belongs to; "" for an item that
// belongs to none.
func ProgramOf(k Key) string {
	program, _, ok := strings.Cut(k.PK, "#")
	if !ok || program == "KEY" || program == "CONNECTION" || program == "CODE" {
		return ""
	}
	return program
}

// Current says which version of a program is in force for whom.
type Current struct {
	Version int64  `cbor:"1,keyasint"`           // the newest
	InUse   bool   `cbor:"2,keyasint,omitempty"` // points exist: the currency is settled
	Base    int64  `cbor:"3,keyasint,omitempty"` // the newest that is for everyone; 0: the newest
	Parts   []Part `cbor:"4,keyasint,omitempty"` // later ones that are for a part, newest first
}

// Part is a version that is rolled out to some stores, regions or members.
type Part struct {
	Version int64    `cbor:"1,keyasint"`
	Stores  []string `cbor:"2,keyasint,omitempty"`
	Regions []string `cbor:"3,keyasint,omitempty"`
	Percent int64    `cbor:"4,keyasint,omitempty"`
}

// Version is one published program document, never changed.
type Version struct {
	Number int64  `cbor:"1,keyasint"`
	At     int64  `cbor:"2,keyasint"` // unix seconds
	Doc    []byte `cbor:"3,keyasint"` // JSON, defaults filled in
}

// Profile is who a member is. All personal data of a person is here and
// nowhere else, so that erasing is one write.
type Profile struct {
	Member        string            `cbor:"1,keyasint"`
	External      map[string]string `cbor:"2,keyasint,omitempty"` // source -> the shop's own id
	Email         string            `cbor:"3,keyasint,omitempty"`
	EmailVerified bool              `cbor:"4,keyasint,omitempty"`
	Phone         string            `cbor:"5,keyasint,omitempty"`
	PhoneVerified bool              `cbor:"6,keyasint,omitempty"`
	Name          string            `cbor:"7,keyasint,omitempty"`
	Language      string            `cbor:"8,keyasint,omitempty"`
	Birth         Birth             `cbor:"9,keyasint,omitzero"`
	Consents      map[string]bool   `cbor:"10,keyasint,omitempty"`
	Guest         bool              `cbor:"11,keyasint,omitempty"` // came with an order, did not enrol
	CreatedAt     int64             `cbor:"12,keyasint"`           // unix seconds
	Erased        int64             `cbor:"13,keyasint,omitempty"` // unix seconds
	Merged        []string          `cbor:"14,keyasint,omitempty"` // members that were merged into this one
	Attributes    map[string]string `cbor:"15,keyasint,omitempty"` // what rules ask about the member
	Codes         []string          `cbor:"16,keyasint,omitempty"` // referral codes that lead here, newest first
}

// Birth is a birth date in the calendar that the member keeps.
type Birth struct {
	Calendar string `cbor:"1,keyasint" json:"calendar"`
	Date     string `cbor:"2,keyasint" json:"date"`
}

// pointer leads from an identity to a member.
type pointer struct {
	Member   string `cbor:"1,keyasint"`
	Verified bool   `cbor:"2,keyasint,omitempty"`
}

// page is a full run of ledger entries that left the account, oldest first.
type page struct {
	First   int64           `cbor:"1,keyasint"` // number of the first entry
	Entries loyalty.Entries `cbor:"2,keyasint"`
}

// Receipt is the answer that was given to a request with an idempotency key.
type Receipt struct {
	Fingerprint string `cbor:"1,keyasint"` // of method, path and body
	Status      int    `cbor:"2,keyasint"`
	Type        string `cbor:"3,keyasint"`
	Body        []byte `cbor:"4,keyasint"`
}

// APIKey is what is known of a key; the key itself is not.
type APIKey struct {
	Program string `cbor:"1,keyasint"`
	Scope   string `cbor:"2,keyasint"` // server or admin
	At      int64  `cbor:"3,keyasint"` // unix seconds
	Until   int64  `cbor:"4,keyasint,omitempty"`
	Revoked int64  `cbor:"5,keyasint,omitempty"`
}

// Connection is a storefront's webhook endpoint. Its secrets are not here but
// with the deployment's other secrets, under its id.
type Connection struct {
	ID      string `cbor:"1,keyasint"`
	Program string `cbor:"2,keyasint"`
	Kind    string `cbor:"3,keyasint"`           // shopify, woocommerce, ...
	URL     string `cbor:"4,keyasint,omitempty"` // where the storefront sends to (Square signs it)
	API     string `cbor:"5,keyasint,omitempty"` // where orders are fetched (BigCommerce)
}

// PrivacyRequest is a person's request that a storefront passed on.
type PrivacyRequest struct {
	Connection string `cbor:"1,keyasint"`
	Topic      string `cbor:"2,keyasint"`
	Member     string `cbor:"3,keyasint,omitempty"`
	At         int64  `cbor:"4,keyasint"`
	Open       bool   `cbor:"5,keyasint,omitempty"` // the member is yet to be erased, or in part
}

// Bodies are CBOR (RFC 8949) with small integer keys: an account with fifteen
// ledger entries stays within the 1 KB that one write unit pays for, and
// fields can be added without touching what is stored.
var (
	encoder = must(cbor.EncOptions{Sort: cbor.SortCoreDeterministic, Time: cbor.TimeUnix}.EncMode())
	decoder = must(cbor.DecOptions{}.DecMode())
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func encode(v any) []byte { return must(encoder.Marshal(v)) }

// Decode reads an item's body. The error means that the table holds what
// this program did not write.
func Decode[T any](item Item) (*T, error) {
	v := new(T)
	err := decoder.Unmarshal(item.Body, v)
	if x, ok := any(v).(interface{ SetSide([]byte) error }); ok && err == nil {
		err = x.SetSide(item.Side)
	}
	if err != nil {
		return nil, fmt.Errorf("decode %s %s: %w", item.PK, item.SK, err)
	}
	return v, nil
}

// Both decodes an item before and after a change; before is zero for a new one.
func Both[T any](c Change) (old, now *T, err error) {
	old = new(T)
	if c.Old.Version > 0 {
		if old, err = Decode[T](c.Old); err != nil {
			return nil, nil, err
		}
	}
	now, err = Decode[T](c.New)
	return old, now, err
}

// MemberGroups is how many partitions the index of members has for a program.
const MemberGroups = 64

// MemberGroup names partition n of a program's members.
func MemberGroup(program string, n int) string { return fmt.Sprintf("%s#%02d", program, n) }

// GroupOf is in which of the partitions a member is.
func GroupOf(member string) int {
	sum := sha256.Sum256([]byte(member))
	return int(sum[3]) % MemberGroups
}

func groupOf(program, member string) string { return MemberGroup(program, GroupOf(member)) }

// due is where an account stands in the due index. Its shards spread the
// accounts of all programs.
func due(member string, at int64) Due {
	if at == 0 {
		return Due{}
	}
	return Due{Shard: shardOf(member), At: time.Unix(at, 0).UTC().Format(time.RFC3339)}
}

// DueShards is how many partitions the due index has.
const DueShards = 16

func shardOf(member string) string {
	sum := sha256.Sum256([]byte(member))
	return DueShard(int(sum[0]) % DueShards)
}

// DueShard names partition n of the due index.
func DueShard(n int) string { return fmt.Sprintf("DUE#%02d", n) }
