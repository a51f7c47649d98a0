package local

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"regexp"
	"time"

	"regulars/shared/table"
	"regulars/shared/web"
)

// NewKey makes an API key as k says and answers the key: only its hash is
// stored, so nobody can be shown it again.
func NewKey(ctx context.Context, s *table.Store, k table.APIKey) (string, error) {
	if k.Scope != string(web.Server) && k.Scope != string(web.Admin) {
		return "", fmt.Errorf("the scope %q is neither server nor admin", k.Scope)
	}
	if k.Until != 0 && k.Until <= k.At {
		return "", errors.New("the key would have ended before it began")
	}
	err := s.View(ctx, k.Program, func(tx *table.Tx) error { _, err := tx.Terms(); return err })
	if err != nil {
		return "", fmt.Errorf("program %q: %w", k.Program, err)
	}
	key := "sk_" + rand.Text()
	return key, s.PutAPIKey(ctx, web.HashKey(key), k)
}

var keyHash = regexp.MustCompile(`^[0-9a-f]{64}$`)

// RevokeKey ends an API key, given itself or its hash. False when there is no
// such key. One that was revoked before stays as it is.
func RevokeKey(ctx context.Context, s *table.Store, keyOrHash string, now time.Time) (bool, error) {
	hash := keyOrHash
	if !keyHash.MatchString(hash) {
		hash = web.HashKey(keyOrHash)
	}
	k, err := s.APIKey(ctx, hash)
	if err != nil || k == nil || k.Revoked != 0 {
		return k != nil, err
	}
	k.Revoked = now.Unix()
	return true, s.PutAPIKey(ctx, hash, *k)
}
